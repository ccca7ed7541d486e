import type { Messages } from './en';

/**
 * What the portal says, in French. One word for one thing: record enregistrement, log journal, entry entrée,
 * charter charte, fingerprint empreinte, digest condensat, cosign cosigner, witness témoin, bundle paquet,
 * policy politique, weights poids, license licence, node nœud, pin épingler, card fiche, officer responsable;
 * to check contrôler, to verify vérifier.
 */
export const fr: Messages = {
  'nav.skip': 'Aller au contenu',
  'nav.label': 'Rubriques',
  'nav.models': 'Modèles',
  'nav.nations': 'Nations',
  'nav.lookup': 'Rechercher un condensat',
  'nav.trust': 'Ce à quoi vous vous fiez',
  'nav.verification': 'Comment fonctionne la vérification',
  'nav.about': 'À propos de Chancery',
  'nav.api': 'L’API (GraphQL)',
  'nav.language': 'Langue',
  'nav.theme': 'Couleurs',
  'theme.system': 'Comme le système',
  'theme.light': 'Clair',
  'theme.dark': 'Sombre',
  'footer.text': 'Un registre de modèles de fondation entre nations. Ni entreprise ni nuage ne s’interpose entre elles.',
  'list.comma': ', ',
  yes: 'Oui',
  no: 'Non',
  never: 'jamais',
  notHeld: 'non conservé ici',
  notStated: 'non indiqué',

  'failed.title': 'Cette page a rencontré une erreur',
  'failed.text': 'Rien n’a été perdu. Le reste du portail fonctionne toujours.',
  'failed.again': 'La recharger',
  'state.loading': 'Interrogation du nœud…',
  'state.again': 'Redemander',
  'state.unreachable.title': 'Le nœud est injoignable',
  'state.unreachable.text': 'Le nœud n’a pas répondu. Contrôlez votre connexion, puis redemandez dans un instant.',
  'state.failed.title': 'Le nœud n’a pas répondu à cette question',
  'state.failed.text': 'Il en donne la raison :',
  'notFound.title': 'Rien ne se trouve à cette adresse',
  'notFound.text': 'Le lien est peut-être ancien ou mal saisi.',
  'notFound.home': 'Aller à la première page',

  'home.title': 'Les modèles que publient les nations',
  'home.lead':
    'Trouvez un modèle de fondation, lisez sa fiche et ses conditions, et laissez votre propre navigateur vous montrer qui l’a signé et quelles nations ont vu la même chose.',
  'home.node': 'Ce nœud est tenu par :',
  'home.fingerprint': 'Son empreinte, à comparer avec la nation de vive voix ou sur papier avant de vous y fier :',
  'home.more': 'En savoir plus sur cette nation',
  'home.newest': 'Dernières publications',
  'home.count':
    'Ce nœud conserve {models, plural, one {# modèle} many {# de modèles} other {# modèles}} de {nations, plural, one {# nation} many {# de nations} other {# nations}}.',
  'home.all': 'Tous les modèles',

  'models.title': 'Modèles',
  'models.text': 'Mots',
  'models.nation': 'Nation',
  'models.any': 'Toutes',
  'models.language': 'Connaît la langue',
  'models.license': 'Licence',
  'models.order': 'Ordre',
  'models.newest': 'Les plus récents d’abord',
  'models.byName': 'Nom, de A à Z',
  'models.search': 'Rechercher',
  'models.count':
    '{count, plural, =0 {Aucun modèle trouvé} one {# modèle trouvé} many {# de modèles trouvés} other {# modèles trouvés}}',
  'models.none': 'Aucun modèle ne répond à ces critères.',
  'models.clear': 'Tout afficher',
  'models.pages': 'Pages',
  'models.first': 'Première page',
  'models.next': 'Page suivante',

  'model.version': 'Version {version}',
  'model.speaks': '{languages}{more, plural, =0 {} one { et # autre} many { et # d’autres} other { et # autres}}',
  'model.unknown': 'Ce modèle n’est pas conservé ici',
  'model.versions': 'Versions',
  'verdict.node.VALID': 'valable, selon ce nœud',
  'verdict.node.SUPERSEDED': 'un enregistrement ultérieur le remplace, selon ce nœud',
  'verdict.node.CONTESTED': 'contesté : une de ses clés a été compromise, selon ce nœud',
  'verdict.node.WITHDRAWN': 'retiré par sa nation, selon ce nœud',
  'verdict.node.REDACTED': 'supprimé : son contenu est effacé, selon ce nœud',
  'verdict.node.VOID': 'sans effet, selon ce nœud',
  'verdict.node.UNKNOWN': 'd’un type que ce nœud ne connaît pas',
  'verdict.node.MISSING': 'son contenu n’est pas conservé ici',

  'ends.title.withdrawal': 'Retiré',
  'ends.title.redaction': 'Supprimé',
  'ends.by.withdrawal':
    'La nation {nation} ne se porte plus garante de cet enregistrement. L’entrée {index} de son journal le dit, signée le {date}.',
  'ends.by.redaction':
    'La nation {nation} a fait effacer le contenu de cet enregistrement. L’entrée {index} de son journal le dit, signée le {date}.',
  'ends.reason':
    'Motif : {why, select, retired {il n’est plus proposé ni entretenu} replaced {un autre le remplace} error {il contient une inexactitude} safety {ce qu’il décrit n’est pas sûr} rights {un tiers y a des droits} law {une loi ou un tribunal le demande} personal_data {il porte sur une personne} secret {il a dévoilé un secret} other {un autre motif}}',
  'ends.record': 'Ce qui y a mis fin',
  'ends.version': 'a pris fin',
  'erasure.receipts': 'Déclarent l’avoir effacé',
  'erasure.none': 'Aucune à ce jour.',
  'erasure.silent': 'Détiennent le journal et ne l’ont pas déclaré',
  'erasure.receipt': 'Reçu',
  'erasure.note': 'Un reçu est la parole signée d’un nœud. Il ne prouve pas qu’il n’existe plus aucune copie.',

  'card.title': 'Ce qu’en dit l’éditeur',
  'card.languages': 'Langues',
  'card.tasks': 'Tâches',
  'card.architecture': 'Architecture',
  'card.lineage': 'Dérivé de',
  'card.scratch': 'aucun autre modèle, déclare l’éditeur',
  'card.data': 'Données d’entraînement',
  'card.compute': 'Lieu d’entraînement',
  'card.sectors': 'Secteurs',
  'card.limitations': 'Limites',
  'card.noneKnown': 'aucune connue, déclare l’éditeur',
  'card.contacts': 'Contacts',
  'card.culture': 'Alignement culturel',
  'card.alignedBy': 'Aligné par',
  'card.annotators': 'Nations des annotateurs',
  'card.text': 'Dans les termes de l’éditeur',
  'card.otherLanguage': 'Langue de ce texte : {language}. Il n’en existe pas dans la vôtre.',

  'license.title': 'Conditions de licence',
  'license.texts': 'Textes',
  'license.prevails': 'ce texte fait foi',
  'license.clauses': 'Lecture destinée aux programmes',
  'license.reading': 'Seuls les textes engagent. Ces clauses indiquent comment quelqu’un les lit.',
  'license.clause':
    '{kind, select, permission {Permis} prohibition {Interdit} duty {Exigé} needs_agreement {Seulement par accord} other {Autre}} :',

  'weights.title': 'Poids',
  'weights.sum': '{count, plural, one {# fichier} many {# de fichiers} other {# fichiers}}, {size} au total',
  'weights.path': 'Fichier',
  'weights.bytes': 'Taille',
  'weights.runs': '(peut exécuter du code)',
  'weights.more':
    '{count, plural, one {et # autre fichier} many {et # d’autres fichiers} other {et # autres fichiers}} ; le paquet les nomme tous.',
  'weights.check': 'Contrôler votre copie des poids',
  'weights.checkText': 'Choisissez ou déposez les fichiers. Ils sont lus sur votre machine et n’en sortent jamais.',
  'weights.files': 'Choisir des fichiers',
  'weights.folder': 'Choisir un dossier',
  'weights.reading': 'Lecture',
  'weights.progress': '{done} sur {total}',
  'weights.matches': 'est bien ce qui a été signé, dans son intégralité ({size})',
  'weights.size': 'n’est pas ce qui a été signé : sa taille en octets est de {found}, au lieu de {expected}',
  'weights.differs': 'n’est pas ce qui a été signé',
  'weights.range': 'n’est pas ce qui a été signé : différences dans les octets {ranges}',
  'weights.unknown': 'n’est pas un fichier de ces poids',
  'weights.unreadable': 'n’a pas pu être lu jusqu’au bout',
  'weights.missing': 'n’est pas dans le dossier',

  'position.title': 'Sa place dans le journal',
  'position.record': 'Condensat de l’enregistrement',
  'position.entry': 'Entrée du journal',
  'position.issued': 'Signé, selon ses propres indications',
  'position.seen': 'Cosigné, d’après ce nœud',
  'position.files': 'À conserver',
  'position.bundle': 'Paquet avec toutes ses preuves',
  'position.permalink': 'Lien permanent',

  'nations.title': 'Nations',
  'nations.lead':
    'Chaque nation tient son propre journal. Un code n’est qu’une revendication : ce qui identifie une nation, c’est son empreinte, que l’on compare de vive voix.',
  'nations.nation': 'Nation',
  'nations.entries': 'Entrées conservées ici',
  'nations.recognised': 'Reconnue par la nation de ce nœud',
  'nations.own': 'la sienne',
  'nations.pinned': 'Épinglée par vous',
  'nation.unknown': 'Aucune nation ne revendique ici le code {code}',
  'nation.rivals.title': 'Ce code est contesté',
  'nation.rivals.text':
    '{count, plural, one {# nation revendique} many {# de nations revendiquent} other {# nations revendiquent}} le code {code}. Ce portail les montre toutes et ne tranche rien : l’empreinte permet de les distinguer.',
  'nation.identity': 'Qui elle est',
  'nation.names': 'Se nomme',
  'nation.log': 'Journal',
  'nation.charter': 'Charte',
  'nation.openCharter': 'Lire sa charte, version {version}',
  'nation.logKey': 'Clé de son journal',
  'nation.witnessKey': 'Clé de son témoin',
  'nation.seen': 'Qui a vu son journal',
  'nation.holds': '{nation} conserve toutes les entrées, au {date}',
  'nation.saw': '{nation} l’a vu croître, au {date}',
  'nation.unseen': 'Aucune autre nation ne l’a encore cosigné.',
  'standing.SIGNED': 'Signé par son journal seul. Témoins : 0 sur {known}.',
  'standing.WITNESSED': 'Témoins : {witnessed} sur {known}, depuis le {since}.',
  'standing.MIRRORED':
    'Témoins : {witnessed} sur {known} ; copies complètes : {mirrored} sur {known} ; depuis le {since}.',
  'nation.heartbeat': 'Dernier signe de vie : {date}.',
  'nation.stale': 'Non à jour depuis le {date} : le journal a pu croître sans être vu.',
  'nation.models': '{count, plural, =0 {Aucun modèle} one {# modèle} many {# de modèles} other {# modèles}}',
  'sync.SYNCHRONISED': 'Tout ce qui a été montré est conservé ici.',
  'sync.CATCHING_UP': 'Rattrapage en cours : {held} entrées conservées sur {shown}.',
  'sync.STALE': 'Données non à jour. Dernières nouvelles reçues : {since}.',
  'evidence.title': 'Ce journal a deux historiques',
  'evidence.text':
    'Le journal {origin} a signé deux historiques qui ne peuvent être vrais tous les deux. Ce nœud le sait depuis le {date} ; il n’en reprend plus rien et n’en cosigne plus rien. Ne vous y fiez pas avant d’en avoir parlé avec la nation.',
  'succession.title': 'Un nouveau journal a pris la place de celui-ci',
  'succession.text':
    '{origin} continue à partir de l’entrée {size}. Ce que ce journal contient ensuite n’est plus la parole de la nation.',
  'succession.healed':
    'Le journal aux deux historiques est remplacé : ce nœud en a accepté un nouveau à sa place.',
  'succession.follows.title': 'Ce journal succède à un autre',
  'succession.follows.text': 'Il a pris la place de {origin} à partir de l’entrée {size}.',
  'succession.reason':
    'Motif : {reason, select, planned {la nation voulait un autre journal} key_lost {plus personne n’a la clé du journal} key_compromised {d’autres ont peut-être la clé du journal} two_histories {le journal a deux historiques} other {{reason}}}.',
  'sync.FROZEN': 'Gelé : {reason}',
  'sync.heard': 'Dernières nouvelles : {date}.',

  'pin.title': 'Empreinte',
  'pin.compare':
    'Comparez-la avec la nation elle-même, de vive voix ou sur papier. Cette page ne peut pas le faire pour vous : quiconque la contrôle pourrait en montrer une autre.',
  'pin.pin': 'Je l’ai comparée : l’épingler',
  'pin.pinned': 'Vous avez épinglé cette empreinte dans ce navigateur.',
  'pin.unkept':
    'Ce navigateur n’a pas conservé votre modification. Elle ne vaut que jusqu’à la fermeture ou au rechargement de cet onglet.',
  'pin.unpin': 'Désépingler',
  'pin.differs':
    'Ce n’est pas l’empreinte que vous avez épinglée. Ne vous y fiez pas et interrogez la nation. Vous aviez épinglé :',
  'trust.title': 'Ce à quoi vous vous fiez',
  'trust.lead':
    'Ce que vous épinglez ici reste dans ce navigateur. Chaque preuve y est confrontée, quoi qu’en dise le nœud.',
  'trust.fingerprints': 'Empreintes des nations',
  'trust.none': 'Vous n’en avez épinglé aucune. Comparez-en une sur la page d’une nation :',
  'trust.code': 'Code de la nation',
  'trust.fingerprint': 'Empreinte telle que lue à voix haute',
  'trust.policy': 'Un fichier de politique',
  'trust.policyText':
    'Une politique (C2SP tlog-policy) nomme des journaux, et indique combien de témoins, et lesquels, doivent les avoir cosignés. Pour les journaux qu’elle nomme, elle l’emporte sur les empreintes.',
  'trust.adopted': 'Cette politique est en vigueur dans ce navigateur.',
  'trust.refused': 'Ceci n’est pas une politique : {problem}',
  'trust.adopt': 'L’adopter',
  'trust.drop': 'L’abandonner',

  'digest.copy': 'Copier',
  'digest.copied': 'Copié',

  'lookup.title': 'Rechercher un condensat',
  'lookup.lead':
    'Un SHA-256, tel que l’affiche sha256sum : celui d’un fichier de poids, d’un enregistrement, d’une enveloppe, d’un manifeste ou d’une clé.',
  'lookup.digest': 'Condensat',
  'lookup.search': 'Rechercher',
  'lookup.malformed': 'Un condensat se compose de 64 chiffres hexadécimaux.',
  'lookup.nothing': 'Ce nœud n’en sait rien. Cela ne prouve rien : un autre nœud peut le connaître.',
  'lookup.where': '{nation}, entrée {index} ; {state}',
  'lookup.open': 'Ouvrir l’enregistrement',
  'lookup.what.RECORD': 'Un enregistrement',
  'lookup.what.ENVELOPE': 'Une enveloppe',
  'lookup.what.FILE': 'Un fichier de poids',
  'lookup.what.CHUNK_ROOT': 'Un fichier de poids, d’après ses fragments',
  'lookup.what.MANIFEST': 'Un manifeste de poids',
  'lookup.what.OMS_ROOT': 'Un modèle, d’après sa racine OpenSSF',
  'lookup.what.BLOB': 'Un texte ou une autre pièce jointe',
  'lookup.what.KEY': 'Une clé',

  'record.title': 'Un enregistrement',
  'record.kind':
    'Il s’agit {kind, select, charter {d’une charte} delegation {d’une délégation} revocation {d’une révocation de clé} endpoint {d’un point d’accès} accreditation {d’une accréditation} evidence {d’une preuve de deux historiques} model_card {d’une fiche de modèle} weights {d’un manifeste de poids} license {de conditions de licence} withdrawal {d’un retrait d’un enregistrement} redaction {d’une suppression d’un contenu} erasure_receipt {d’un reçu d’effacement} log_succession {d’une succession d’un journal} other {d’un autre type d’enregistrement}}.',
  'record.model': 'Ouvrir le modèle',
  'record.signed': 'Ce qui a été signé',

  'proof.title': 'Ce que votre navigateur a contrôlé',
  'proof.missing': 'Ce nœud ne conserve pas l’enregistrement : rien n’a pu être contrôlé.',
  'proof.verdict.verified': 'Vérifié : signé pour {nation}',
  'proof.verdict.under-witnessed': 'Signé pour {nation}, mais vu par trop peu de nations',
  'proof.verdict.contested': 'Signé pour {nation}, mais la clé est douteuse',
  'proof.verdict.void': 'Sans effet : sa clé a été révoquée',
  'proof.verdict.withdrawn': 'Retiré : la nation {nation} ne s’en porte plus garante',
  'proof.verdict.redacted': 'Supprimé : son contenu a été effacé pour {nation}',
  'proof.verdict.unpinned': 'Cohérent avec ce que ce nœud appelle {nation}',
  'proof.verdict.failed': 'Ne tient pas : ne vous y fiez pas',
  'proof.verdict.cannot': 'Impossible de vérifier ici',
  'proof.means.verified': 'Chaque étape ci-dessous tient, au regard de ce que vous avez épinglé.',
  'proof.means.under-witnessed':
    'Les signatures tiennent. Trop peu des nations que nomme votre politique ont cosigné le journal, ou bien vous avez épinglé un journal antérieur : une étape ci-dessous le précise.',
  'proof.means.contested':
    'Une clé dont il dépend a été compromise sans que l’on sache depuis quand. La nation n’a pas confirmé cet enregistrement.',
  'proof.means.void':
    'Tout est authentique, mais une clé dont il dépend n’était plus digne de confiance à cette place du journal.',
  'proof.means.withdrawn': 'Les preuves tiennent. L’enregistrement reste lisible ; la nation qui l’a signé y a mis fin.',
  'proof.means.redacted':
    'Les preuves tiennent. Le contenu a été effacé à la demande de la nation qui l’a signé ; il reste établi que l’enregistrement a existé, et où.',
  'proof.means.unpinned':
    'Les signatures concordent, mais vous n’avez pas épinglé l’identité de {nation}. Quiconque contrôle ce nœud pourrait avoir tout fabriqué.',
  'proof.means.failed':
    'Une étape ci-dessous échoue : l’enregistrement, ou la façon dont il vous est parvenu, a été modifié.',
  'proof.means.cannot':
    'Les navigateurs ne contrôlent les signatures que par une connexion sécurisée (https), ou sur la machine elle-même. Rien n’a été contrôlé.',
  'proof.toPin': 'Comparer et épingler l’empreinte de {nation}',
  'proof.step.whole': 'Le fichier',
  'proof.step.nation': 'La nation',
  'proof.step.log': 'Le journal',
  'proof.step.signatures': 'Les signatures',
  'proof.step.succession': 'Le journal précédent',
  'proof.step.revocations': 'Les clés révoquées',
  'proof.step.ends': 'La fin de l’enregistrement',
  'proof.step.cosignatures': 'Les autres nations',
  'proof.step.blobs': 'Les pièces jointes',
  'proof.holds.whole':
    'Il est complet, avec {records, plural, one {# enregistrement} many {# d’enregistrements} other {# enregistrements}}.',
  'proof.holds.nation': 'Sa charte a pour empreinte {fingerprint}.',
  'proof.holds.log':
    'Entrée {index} de {log}, prouvée dans son arbre de {size} entrées, que la clé du journal a signé.',
  'proof.holds.signatures':
    'Signé par {holders}, avec la clé {keys}, que la nation habilite à parler pour elle ; la version {version} de sa charte a été signée par {roots, plural, one {# responsable} many {# de responsables} other {# responsables}}.',
  'proof.holds.succession':
    '{log} a pris la place de {former} à partir de l’entrée {size}. Les racines des deux l’ont signé.',
  'proof.holds.revocations':
    'Aucune révocation du fichier ({held}) ne retire la confiance à ses clés, dans l’état du journal à {size} entrées.',
  'proof.holds.ends':
    'Aucun enregistrement du fichier ne le retire ni n’en supprime le contenu ; le journal comptait alors {size} entrées.',
  'proof.holds.cosignatures':
    'Cosigné par {seen} sur {known} que nomme votre politique : {names}. Son quorum est atteint depuis le {since} : définitif.',
  'proof.holds.blobs': 'Chacune est bien celle que l’enregistrement nomme.',
  'proof.problem.cannot-verify': 'Ce navigateur, ou cette connexion, ne permet pas de contrôler les signatures.',
  'proof.problem.refused': 'Cela ne tient pas : {reason} ({code})',
  'proof.problem.no-record': 'L’enregistrement n’est pas dans le fichier.',
  'proof.problem.no-charter': 'Le fichier ne commence pas par une charte.',
  'proof.problem.other-fingerprint': 'Sa charte a pour empreinte {fingerprint}, et vous avez épinglé {pinned}.',
  'proof.problem.unknown-log': 'Votre politique ne nomme pas la clé de ce journal : {logKey}.',
  'proof.problem.other-header': 'Le fichier se dit d’une autre nation ou d’un autre journal que sa charte.',
  'proof.problem.other-record': 'Le nœud a fourni la preuve d’un autre enregistrement.',
  'proof.problem.other-checkpoint': 'Les preuves portent sur des états différents du journal.',
  'proof.problem.order': 'Les enregistrements ne suivent pas l’ordre du journal.',
  'proof.problem.nothing-pinned':
    'Sa charte a pour empreinte {fingerprint}. Vous n’en avez épinglé aucune à laquelle la comparer.',
  'proof.problem.no-policy':
    'Non contrôlé : seul un fichier de politique indique de quelles nations vous exigez la cosignature.',
  'proof.problem.too-few':
    'Signé, et cosigné par {seen} sur {known} que nomme votre politique : {names}. Dernière cosignature : {since}. Non définitif : votre politique exige en outre {missing}.',
  'proof.problem.key-revoked':
    'La clé {key} n’est plus digne de confiance à partir de l’entrée {from}, et l’enregistrement est l’entrée {index}.',
  'proof.problem.key-contested':
    'La clé {key} a été compromise sans que l’on sache depuis quand, et la nation n’a pas confirmé l’enregistrement.',
  'proof.problem.withdrawn': 'L’entrée {index} du journal l’a retiré ; elle se dit signée le {since}.',
  'proof.problem.redacted': 'L’entrée {index} du journal en a fait effacer le contenu ; elle se dit signée le {since}.',
  'proof.problem.others-ended': 'Il est en vigueur, mais un élément auquel il renvoie a été retiré ou supprimé : {others}.',
  'proof.problem.follows-nothing': 'Le fichier parle d’un journal précédent auquel celui-ci ne succède pas.',
  'proof.problem.no-former': 'Le journal dit succéder à un autre, dont le fichier ne dit rien.',
  'proof.problem.walked':
    '{log} a pris la place de {former} à partir de l’entrée {size}, et vous avez épinglé l’ancien. Les racines l’ont signé, mais des signatures ne distinguent pas un vrai successeur d’un faux. Comparez l’empreinte du nouveau journal, ou demandez lequel les partenaires de la nation reconnaissent.',
  'proof.problem.blobs-missing':
    'Pièces jointes absentes du fichier, et donc non contrôlées : {missing} sur {named}.',
  'proof.problem.stray-blob': 'Le fichier contient un élément qu’aucun enregistrement ne nomme : {blob}.',
  'proof.problem.blob-size': 'Une pièce jointe n’a pas la taille qu’indique son enregistrement : {blob}.',

  'about.title': 'À propos de Chancery',
  'about.what':
    'Des nations construisent leurs propres modèles d’IA et se les proposent les unes aux autres. Chacune exploite un nœud, signe ce qu’elle publie et le consigne dans un journal que ses partenaires répliquent et cosignent. Nul ne s’interpose entre elles.',
  'about.promises.title': 'Ce que Chancery garantit',
  'about.promises.own':
    'Chaque nation est sa propre racine : les clés de ses responsables, et elles seules, parlent pour elle.',
  'about.promises.proof': 'Ce que montre un nœud peut être contrôlé sans se fier au nœud.',
  'about.promises.split':
    'Une nation qui présente deux historiques différents est démasquée par n’importe quel partenaire honnête.',
  'about.promises.offline': 'Un paquet prouve un enregistrement sans aucun réseau.',
  'about.not.title': 'Ce que Chancery ne garantit pas',
  'about.not.true': 'Que ce que dit une fiche est vrai.',
  'about.not.harmless': 'Que des poids sont inoffensifs.',
  'about.not.forget': 'Que quiconque a vu quelque chose l’oubliera.',

  'verification.title': 'Comment fonctionne la vérification',
  'verification.lead':
    'Votre navigateur récupère l’enregistrement et sa preuve, octet pour octet, et les contrôle lui-même. La parole du nœud ne compte pas.',
  'verification.pin.title': 'Vous épinglez une empreinte',
  'verification.pin.text':
    'C’est le condensat de la première charte d’une nation. Vous le comparez avec la nation de vive voix ou sur papier. Tant que vous ne l’avez pas fait, ce portail dit seulement que les éléments sont cohérents.',
  'verification.charter.title': 'La charte nomme les clés',
  'verification.charter.text':
    'Elle est signée par les responsables de la nation, aussi nombreux que celle-ci l’exige d’elle-même. Chaque version suivante l’est aussi par des responsables de la précédente : qui connaît la première parvient à la dernière.',
  'verification.delegation.title': 'Une autorité d’enregistrement habilite une clé',
  'verification.delegation.text': 'Pour certains types d’enregistrement, pour certains modèles et pour un temps.',
  'verification.signature.title': 'L’éditeur signe',
  'verification.signature.text':
    'La signature couvre chaque octet et lie l’enregistrement à la nation et à son journal.',
  'verification.log.title': 'Le journal le contient',
  'verification.log.text':
    'Une courte preuve montre l’enregistrement à sa place dans le journal, dont la clé a signé l’ensemble.',
  'verification.cosignatures.title': 'D’autres nations ont vu la même chose',
  'verification.cosignatures.text':
    'Les partenaires ne cosignent qu’un journal qui prolonge ce qu’ils en avaient déjà vu. Un fichier de politique indique de qui vous exigez la cosignature.',
  'verification.weights.title': 'Les poids sont ceux qui ont été signés',
  'verification.weights.text':
    'Le condensat des fichiers est calculé fragment par fragment sur votre machine ; un fichier modifié est détecté, ainsi que l’endroit de la modification.',
  'verification.cannot.title': 'Ce que cette page ne peut pas prouver',
  'verification.cannot.text':
    'Qu’elle est elle-même authentique : quiconque contrôle le nœud pourrait vous envoyer une autre page. La commande contrôle le même paquet sans page ni réseau :',
};
