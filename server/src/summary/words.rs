//! The words of the summaries, in each language of the pages.
//!
//! Where the portal says the same, it is in the same words: each file of `web/src/i18n/messages` begins
//! with its glossary, and a test compares. No word depends on a number. What differs from page to page
//! stands after a word, never inside, so that no language's grammar is asked to bend.

use chancery_schema::record::Kind;

use crate::language::Language;

/// Every word of the summaries: text, not markup. One that is missing in a language does not compile.
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Words {
    /// What strikes the eye: no tick without a check.
    pub verifies_nothing: &'static str,
    /// What to do instead; the command follows.
    pub how_to_verify: &'static str,

    /// A record, as a heading.
    pub record: &'static str,
    /// Of what kind it is; one of the thirteen follows, or a word that is unknown here.
    pub kind: &'static str,
    pub charter: &'static str,
    pub delegation: &'static str,
    pub revocation: &'static str,
    pub endpoint: &'static str,
    pub accreditation: &'static str,
    pub evidence: &'static str,
    pub model_card: &'static str,
    pub weights_manifest: &'static str,
    pub license_terms: &'static str,
    pub withdrawal: &'static str,
    pub redaction: &'static str,
    pub erasure_receipt: &'static str,
    pub log_succession: &'static str,

    /// Whose log it is in: the code follows.
    pub nation: &'static str,
    /// What that nation calls itself.
    pub calls_itself: &'static str,
    /// Where in the log: position and log follow.
    pub entry: &'static str,
    pub record_digest: &'static str,
    pub envelope_digest: &'static str,
    /// When, as its signer says.
    pub issued: &'static str,
    pub signing_key: &'static str,

    /// Whose verdict follows: nobody's but this node's.
    pub node_says: &'static str,
    pub valid: &'static str,
    /// The record that replaces it follows.
    pub superseded: &'static str,
    /// The reason follows, in English.
    pub contested: &'static str,
    /// Its nation no longer stands by it.
    pub withdrawn: &'static str,
    /// Its body is erased.
    pub redacted: &'static str,
    /// The reason follows, in English, and its code.
    pub void: &'static str,
    pub unknown: &'static str,
    pub missing: &'static str,

    /// A model's name as a URN.
    pub name: &'static str,
    pub version: &'static str,
    /// What people call a model.
    pub called: &'static str,
    pub publisher: &'static str,
    pub languages: &'static str,
    pub license: &'static str,
    pub not_stated: &'static str,
    pub weights: &'static str,
    pub other_versions: &'static str,

    /// The bundle, as a link.
    pub bundle: &'static str,
    /// The envelope, as a link.
    pub envelope: &'static str,
    /// What was signed, as a heading.
    pub signed: &'static str,

    pub record_not_held: &'static str,
    pub model_not_held: &'static str,
    /// Who may hold it.
    pub elsewhere: &'static str,
    /// The front page, as a link.
    pub first_page: &'static str,
}

impl Words {
    /// The words of a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Arabic => &ARABIC,
            Language::Chinese => &CHINESE,
            Language::French => &FRENCH,
            Language::Russian => &RUSSIAN,
            Language::Spanish => &SPANISH,
        }
    }

    /// What a kind of record is called.
    pub const fn of_kind(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Charter => self.charter,
            Kind::Delegation => self.delegation,
            Kind::Revocation => self.revocation,
            Kind::Endpoint => self.endpoint,
            Kind::Accreditation => self.accreditation,
            Kind::Evidence => self.evidence,
            Kind::ModelCard => self.model_card,
            Kind::Weights => self.weights_manifest,
            Kind::License => self.license_terms,
            Kind::Withdrawal => self.withdrawal,
            Kind::Redaction => self.redaction,
            Kind::ErasureReceipt => self.erasure_receipt,
            Kind::LogSuccession => self.log_succession,
        }
    }
}

const ENGLISH: Words = Words {
    verifies_nothing: "This page, without JavaScript, verifies nothing.",
    how_to_verify: "It shows what this node says. Fetch the bundle and check it with this command, which needs no \
        network and trusts no node:",
    record: "A record",
    kind: "Kind of record",
    charter: "charter",
    delegation: "delegation",
    revocation: "revocation of a key",
    endpoint: "endpoint",
    accreditation: "accreditation",
    evidence: "evidence of two histories",
    model_card: "model card",
    weights_manifest: "manifest of weights",
    license_terms: "license terms",
    withdrawal: "withdrawal of a record",
    redaction: "redaction of a record",
    erasure_receipt: "receipt of an erasure",
    log_succession: "succession of a log",
    nation: "Nation",
    calls_itself: "Calls itself",
    entry: "Entry of the log",
    record_digest: "Record digest",
    envelope_digest: "Envelope digest",
    issued: "Signed, by its own word",
    signing_key: "Signed with the key",
    node_says: "This node says",
    valid: "valid",
    superseded: "replaced by a later record",
    contested: "contested: one of its keys was compromised",
    withdrawn: "withdrawn by its nation",
    redacted: "redacted: its contents are erased",
    void: "does not count",
    unknown: "of a kind that this node does not know",
    missing: "its contents are not held here",
    name: "Name",
    version: "Version",
    called: "Called",
    publisher: "Publisher",
    languages: "Languages",
    license: "License",
    not_stated: "not stated",
    weights: "Weights",
    other_versions: "Other versions",
    bundle: "Bundle with all its proof",
    envelope: "Envelope: what was signed, and the signatures",
    signed: "What was signed",
    record_not_held: "This record is not held here",
    model_not_held: "This model is not held here",
    elsewhere: "Another nation’s node may hold it.",
    first_page: "To the first page",
};

const ARABIC: Words = Words {
    verifies_nothing: "هذه الصفحة، من دون JavaScript، لا تتحقق من شيء.",
    how_to_verify: "وهي تعرض ما تقوله هذه العقدة. نزّل الحزمة وافحصها بالأمر التالي، الذي لا يحتاج إلى شبكة ولا يثق \
        بأي عقدة:",
    record: "وثيقة",
    kind: "نوع الوثيقة",
    charter: "ميثاق",
    delegation: "تفويض",
    revocation: "إلغاء مفتاح",
    endpoint: "نقطة وصول",
    accreditation: "اعتماد",
    evidence: "دليل على سجلّين متعارضين",
    model_card: "بطاقة نموذج",
    weights_manifest: "بيان أوزان",
    license_terms: "شروط ترخيص",
    withdrawal: "سحب وثيقة",
    redaction: "حجب وثيقة",
    erasure_receipt: "إيصال محو",
    log_succession: "خلافة سجلّ",
    nation: "الدولة",
    calls_itself: "تسمّي نفسها",
    entry: "القيد في السجل",
    record_digest: "قيمة تجزئة الوثيقة",
    envelope_digest: "قيمة تجزئة المظروف",
    issued: "تاريخ التوقيع، كما تذكره الوثيقة",
    signing_key: "مفتاح التوقيع",
    node_says: "بحسب هذه العقدة",
    valid: "الوثيقة نافذة",
    superseded: "حلّت محلها وثيقة لاحقة",
    contested: "محل شك: انكشف أحد مفاتيحها",
    withdrawn: "سحبتها دولتها",
    redacted: "محجوبة: مُحي محتواها",
    void: "الوثيقة لا يُعتدّ بها",
    unknown: "وثيقة من نوع لا تعرفه هذه العقدة",
    missing: "محتوى الوثيقة غير محفوظ هنا",
    name: "الاسم",
    version: "الإصدار",
    called: "التسمية",
    publisher: "الجهة الناشرة",
    languages: "اللغات",
    license: "الترخيص",
    not_stated: "غير مذكور",
    weights: "الأوزان",
    other_versions: "إصدارات أخرى",
    bundle: "الحزمة مع جميع أدلتها",
    envelope: "المظروف: ما جرى توقيعه مع التواقيع",
    signed: "ما جرى توقيعه",
    record_not_held: "هذه الوثيقة غير محفوظة هنا",
    model_not_held: "هذا النموذج غير محفوظ هنا",
    elsewhere: "قد تجد المطلوب لدى عقدة دولة أخرى.",
    first_page: "إلى الصفحة الأولى",
};

const CHINESE: Words = Words {
    verifies_nothing: "没有 JavaScript 时，本页面不作任何验证。",
    how_to_verify: "本页面只显示本节点的说法。请下载证明包，并用下列命令检查；该命令无需网络，也不信任任何节点：",
    record: "记录",
    kind: "记录的类型",
    charter: "章程",
    delegation: "授权书",
    revocation: "密钥撤销",
    endpoint: "接入点",
    accreditation: "认可",
    evidence: "两种历史的证据",
    model_card: "模型卡",
    weights_manifest: "权重清单",
    license_terms: "许可条款",
    withdrawal: "记录撤回",
    redaction: "记录删除",
    erasure_receipt: "清除回执",
    log_succession: "日志承继",
    nation: "国家",
    calls_itself: "自用名称",
    entry: "日志条目",
    record_digest: "记录的摘要值",
    envelope_digest: "信封的摘要值",
    issued: "签名时间（记录自述）",
    signing_key: "签名密钥",
    node_says: "据本节点称",
    valid: "有效",
    superseded: "已被后来的记录取代",
    contested: "一个密钥已泄露",
    withdrawn: "已由其国家撤回",
    redacted: "内容已清除",
    void: "无效",
    unknown: "其类型不为本节点所知",
    missing: "此处未保存其内容",
    name: "名称",
    version: "版本",
    called: "显示名称",
    publisher: "发布方",
    languages: "语言",
    license: "许可",
    not_stated: "未说明",
    weights: "权重",
    other_versions: "其他版本",
    bundle: "含全部证明的证明包",
    envelope: "信封：签名内容和签名",
    signed: "签名内容",
    record_not_held: "此处未保存该记录",
    model_not_held: "此处未保存该模型",
    elsewhere: "其他国家的节点可能保存有该内容。",
    first_page: "返回首页",
};

const FRENCH: Words = Words {
    verifies_nothing: "Sans JavaScript, cette page ne vérifie rien.",
    how_to_verify: "Elle montre ce que dit ce nœud. Récupérez le paquet et contrôlez-le avec la commande suivante, qui \
        n’a besoin d’aucun réseau et ne se fie à aucun nœud\u{a0}:",
    record: "Un enregistrement",
    kind: "Type d’enregistrement",
    charter: "charte",
    delegation: "délégation",
    revocation: "révocation de clé",
    endpoint: "point d’accès",
    accreditation: "accréditation",
    evidence: "preuve de deux historiques",
    model_card: "fiche de modèle",
    weights_manifest: "manifeste de poids",
    license_terms: "conditions de licence",
    withdrawal: "retrait d’un enregistrement",
    redaction: "suppression d’un contenu",
    erasure_receipt: "reçu d’effacement",
    log_succession: "succession d’un journal",
    nation: "Nation",
    calls_itself: "Se nomme",
    entry: "Entrée du journal",
    record_digest: "Condensat de l’enregistrement",
    envelope_digest: "Condensat de l’enveloppe",
    issued: "Signé, selon ses propres indications",
    signing_key: "Signé avec la clé",
    node_says: "Selon ce nœud",
    valid: "valable",
    superseded: "un enregistrement ultérieur le remplace",
    contested: "contesté : une de ses clés a été compromise",
    withdrawn: "retiré par sa nation",
    redacted: "supprimé : son contenu est effacé",
    void: "sans effet",
    unknown: "d’un type que ce nœud ne connaît pas",
    missing: "son contenu n’est pas conservé ici",
    name: "Nom",
    version: "Version",
    called: "Appellation",
    publisher: "Éditeur",
    languages: "Langues",
    license: "Licence",
    not_stated: "non indiqué",
    weights: "Poids",
    other_versions: "Autres versions",
    bundle: "Paquet avec toutes ses preuves",
    envelope: "Enveloppe\u{a0}: ce qui a été signé, et les signatures",
    signed: "Ce qui a été signé",
    record_not_held: "Cet enregistrement n’est pas conservé ici",
    model_not_held: "Ce modèle n’est pas conservé ici",
    elsewhere: "Le nœud d’une autre nation le conserve peut-être.",
    first_page: "Aller à la première page",
};

const RUSSIAN: Words = Words {
    verifies_nothing: "Без JavaScript эта страница ничего не проверяет.",
    how_to_verify: "Она показывает то, что сообщает этот узел. Скачайте пакет и проверьте его следующей командой, которой \
        не нужна сеть и которая не доверяет ни одному узлу:",
    record: "Документ",
    kind: "Вид документа",
    charter: "устав",
    delegation: "делегирование полномочий",
    revocation: "отзыв ключа",
    endpoint: "точка доступа",
    accreditation: "аккредитация",
    evidence: "доказательство двух историй",
    model_card: "карточка модели",
    weights_manifest: "манифест весов",
    license_terms: "условия лицензии",
    withdrawal: "отзыв документа",
    redaction: "удаление содержания документа",
    erasure_receipt: "расписка об удалении",
    log_succession: "преемство журнала",
    nation: "Государство",
    calls_itself: "Называет себя",
    entry: "Запись журнала",
    record_digest: "Хеш-сумма документа",
    envelope_digest: "Хеш-сумма конверта",
    issued: "Время подписания, указанное в документе",
    signing_key: "Ключ подписи",
    node_says: "По данным этого узла",
    valid: "имеет силу",
    superseded: "взамен действует более поздний документ",
    contested: "под сомнением: один из его ключей скомпрометирован",
    withdrawn: "отозван своим государством",
    redacted: "содержание документа удалено",
    void: "не имеет силы",
    unknown: "вид этого документа узлу неизвестен",
    missing: "содержание здесь не хранится",
    name: "Имя",
    version: "Версия",
    called: "Название",
    publisher: "Издатель",
    languages: "Языки",
    license: "Лицензия",
    not_stated: "не указано",
    weights: "Веса",
    other_versions: "Другие версии",
    bundle: "Пакет со всеми доказательствами",
    envelope: "Конверт: то, что было подписано, и подписи",
    signed: "Что было подписано",
    record_not_held: "Этот документ здесь не хранится",
    model_not_held: "Эта модель здесь не хранится",
    elsewhere: "Возможно, искомое хранится на узле другого государства.",
    first_page: "На первую страницу",
};

const SPANISH: Words = Words {
    verifies_nothing: "Sin JavaScript, esta página no verifica nada.",
    how_to_verify: "Muestra lo que dice este nodo. Obtenga el paquete y compruébelo con la orden siguiente, que no \
        necesita red ni confía en ningún nodo:",
    record: "Un documento",
    kind: "Tipo de documento",
    charter: "carta constitutiva",
    delegation: "delegación",
    revocation: "revocación de clave",
    endpoint: "punto de acceso",
    accreditation: "acreditación",
    evidence: "prueba de dos historiales",
    model_card: "ficha de modelo",
    weights_manifest: "manifiesto de pesos",
    license_terms: "condiciones de licencia",
    withdrawal: "retirada de un documento",
    redaction: "supresión de un contenido",
    erasure_receipt: "recibo de borrado",
    log_succession: "sucesión de una bitácora",
    nation: "Nación",
    calls_itself: "Se denomina",
    entry: "Entrada de la bitácora",
    record_digest: "Resumen criptográfico del documento",
    envelope_digest: "Resumen criptográfico del sobre",
    issued: "Firmado, según el propio documento",
    signing_key: "Firmado con la clave",
    node_says: "Según este nodo",
    valid: "es válido",
    superseded: "lo sustituye un documento posterior",
    contested: "impugnado: una de sus claves se vio comprometida",
    withdrawn: "retirado por su nación",
    redacted: "suprimido: su contenido se borró",
    void: "sin efecto",
    unknown: "de un tipo que este nodo no conoce",
    missing: "su contenido no se conserva aquí",
    name: "Nombre",
    version: "Versión",
    called: "Denominación",
    publisher: "Editor",
    languages: "Idiomas",
    license: "Licencia",
    not_stated: "no consta",
    weights: "Pesos del modelo",
    other_versions: "Otras versiones",
    bundle: "Paquete con todas sus pruebas",
    envelope: "Sobre con lo que se firmó y las firmas",
    signed: "Lo que se firmó",
    record_not_held: "Este documento no se conserva aquí",
    model_not_held: "Este modelo no se conserva aquí",
    elsewhere: "Es posible que el nodo de otra nación lo conserve.",
    first_page: "Ir a la primera página",
};

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    /// Words that the portal has too, and in which of its messages.
    const SHARED: [(&str, &str); 36] = [
        ("record", "'record.title'"),
        ("charter", "'record.kind'"),
        ("delegation", "'record.kind'"),
        ("revocation", "'record.kind'"),
        ("endpoint", "'record.kind'"),
        ("accreditation", "'record.kind'"),
        ("evidence", "'record.kind'"),
        ("model_card", "'record.kind'"),
        ("weights_manifest", "'record.kind'"),
        ("license_terms", "'record.kind'"),
        ("withdrawal", "'record.kind'"),
        ("redaction", "'record.kind'"),
        ("erasure_receipt", "'record.kind'"),
        ("log_succession", "'record.kind'"),
        ("nation", "'nations.nation'"),
        ("calls_itself", "'nation.names'"),
        ("entry", "'position.entry'"),
        ("record_digest", "'position.record'"),
        ("issued", "'position.issued'"),
        ("valid", "'verdict.node.VALID'"),
        ("superseded", "'verdict.node.SUPERSEDED'"),
        ("contested", "'verdict.node.CONTESTED'"),
        ("withdrawn", "'verdict.node.WITHDRAWN'"),
        ("redacted", "'verdict.node.REDACTED'"),
        ("void", "'verdict.node.VOID'"),
        ("unknown", "'verdict.node.UNKNOWN'"),
        ("missing", "'verdict.node.MISSING'"),
        ("version", "'model.version'"),
        ("languages", "'card.languages'"),
        ("license", "'models.license'"),
        ("not_stated", "notStated"),
        ("weights", "'weights.title'"),
        ("bundle", "'position.bundle'"),
        ("signed", "'record.signed'"),
        ("model_not_held", "'model.unknown'"),
        ("first_page", "'notFound.home'"),
    ];

    /// Words by the name of their field.
    fn words(language: Language) -> Map<String, Value> {
        serde_json::to_value(Words::of(language)).unwrap().as_object().unwrap().clone()
    }

    fn messages(language: Language) -> &'static str {
        match language {
            Language::English => include_str!("../../../web/src/i18n/messages/en.ts"),
            Language::Arabic => include_str!("../../../web/src/i18n/messages/ar.ts"),
            Language::Chinese => include_str!("../../../web/src/i18n/messages/zh.ts"),
            Language::French => include_str!("../../../web/src/i18n/messages/fr.ts"),
            Language::Russian => include_str!("../../../web/src/i18n/messages/ru.ts"),
            Language::Spanish => include_str!("../../../web/src/i18n/messages/es.ts"),
        }
    }

    #[test]
    fn what_the_portal_says_too_is_said_in_its_words() {
        for language in Language::ALL {
            let (words, messages) = (words(language), messages(language));
            for (name, key) in SHARED {
                let (_, rest) = messages.split_once(&format!("\n  {key}:")).unwrap();
                let message = rest.split("',\n").next().unwrap();
                assert!(message.contains(words[name].as_str().unwrap()), "{language:?} {name}: {message}");
            }
        }
    }

    #[test]
    fn a_word_is_text_in_the_letters_and_signs_of_its_language() {
        let english = words(Language::English);
        for language in Language::ALL {
            for (name, word) in words(language) {
                let text = word.as_str().unwrap();
                assert!(!text.is_empty() && text.trim() == text && !text.contains("  "), "{language:?} {name}: {text}");
                assert!(!text.contains(['<', '>', '&', '"', '\'']), "{language:?} {name}: {text}");
                let has = |letters: std::ops::RangeInclusive<char>| text.chars().any(|c| letters.contains(&c));
                let holds = match language {
                    Language::English => true,
                    Language::Arabic => has('\u{600}'..='\u{6ff}') && !text.contains([',', ';', '?']),
                    Language::Chinese => has('\u{4e00}'..='\u{9fff}') && !text.contains([',', ';', '?', ':', '.', '(']),
                    Language::Russian => has('\u{400}'..='\u{4ff}'),
                    Language::Spanish => english[&name] != word,
                    Language::French => {
                        // Two words are the same in both.
                        (english[&name] != word || ["nation", "version"].contains(&name.as_str()))
                            && text.replace("\u{a0}:", "").find([':', ';', '?', '!']).is_none()
                    }
                };
                assert!(holds, "{language:?} {name}: {text}");
            }
        }
    }
}
