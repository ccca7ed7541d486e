//! T12: keys are stolen, used, and revoked, in random histories: what is admitted, and how it stands at
//! each size of the log, is what a small model says that shares nothing with the schema.
//!
//! The model knows numbers instead of keys and is asked from the roots down: roots revoke registrars, so
//! those are known first; then what registrars revoked, if they were trusted there; then delegations; then
//! cards, and what ends them. The schema asks the other way round, from a record up to the roots.

use chancery_schema::admission::{Code, Submission};
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::record::{Kind, Record};
use chancery_schema::roster::Standing;
use chancery_tests::nation::{Judge, Nation};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use chancery_tests::row::{Share, Tally, spread};

const REGISTRARS: usize = 2;
const PUBLISHERS: usize = 3;

/// One thing that somebody does. The charter is entry 0 of every history.
#[derive(Clone, Debug)]
enum Event {
    Delegate {
        publisher: usize,
        by: usize,
    },
    /// A card of a version of its own, or of that of an entry which it supersedes.
    Card {
        by: Vec<usize>,
        of: Option<usize>,
    },
    End {
        entry: usize,
        redacts: bool,
        by: Ender,
    },
    Revoke {
        whom: Whom,
        why: Why,
        by: By,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whom {
    Registrar(usize),
    Publisher(usize),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Why {
    Retired,
    Since(usize),
    Unknown { affirms: Vec<usize> },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Roots,
    Registrar(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ender {
    Publisher(usize),
    Registrar(usize),
}

/// How far something is trusted, in the model: 0 not, 1 perhaps, 2 in full.
type Trust = u8;

/// The model: what was admitted so far.
#[derive(Default)]
struct Model {
    log: Vec<Event>,
}

impl Model {
    /// How far a key is trusted for entry `at`, by those of the revocations that count.
    fn key(&self, whom: Whom, at: usize, counts: impl Fn(usize, By) -> bool) -> Trust {
        let mut trust = 2;
        let mut affirmed = false;
        for (index, event) in self.log.iter().enumerate() {
            let Event::Revoke { whom: revoked, why, by } = event else { continue };
            if *revoked != whom || !counts(index, *by) {
                continue;
            }
            match why {
                Why::Since(since) if at >= *since => return 0,
                _ if at >= index && !matches!(why, Why::Since(_)) => return 0,
                Why::Unknown { affirms } => {
                    trust = 1;
                    affirmed |= affirms.contains(&at);
                }
                _ => {}
            }
        }
        if affirmed { 2 } else { trust }
    }

    fn registrar(&self, registrar: usize, at: usize) -> Trust {
        self.key(Whom::Registrar(registrar), at, |_, by| by == By::Roots)
    }

    fn publisher(&self, publisher: usize, at: usize) -> Trust {
        let counts = |index, by| match by {
            By::Roots => true,
            By::Registrar(registrar) => self.registrar(registrar, index) > 0,
        };
        let own = self.key(Whom::Publisher(publisher), at, counts);
        // All delegations are of the same terms here, so any before counts, the newest that is not void first.
        let events = self.log.iter().enumerate().take(at).rev();
        let delegated = events.filter_map(|(index, event)| match event {
            Event::Delegate { publisher: to, by } if *to == publisher => Some(self.registrar(*by, index)),
            _ => None,
        });
        let delegated: Vec<Trust> = delegated.collect();
        let newest = delegated.first().copied().unwrap_or(2);
        own.min(if newest == 0 { delegated.into_iter().max().unwrap_or(0) } else { newest })
    }

    fn delegation(&self, publisher: usize, before: usize) -> Option<(usize, usize)> {
        let events = self.log.iter().enumerate().take(before);
        events.rev().find_map(|(index, event)| match event {
            Event::Delegate { publisher: to, by } if *to == publisher => Some((index, *by)),
            _ => None,
        })
    }

    /// How far what was admitted at `at` is trusted.
    fn trust(&self, at: usize) -> Trust {
        match &self.log[at] {
            Event::Delegate { by, .. }
            | Event::Revoke { by: By::Registrar(by), .. }
            | Event::End { by: Ender::Registrar(by), .. } => self.registrar(*by, at),
            Event::Card { by, .. } => by.iter().map(|publisher| self.publisher(*publisher, at)).max().unwrap_or(2),
            Event::End { by: Ender::Publisher(by), .. } => self.publisher(*by, at),
            Event::Revoke { by: By::Roots, .. } => 2,
        }
    }

    /// The entry that ended an entry: any redaction, or else the first withdrawal that is trusted at all.
    fn ended(&self, at: usize) -> Option<usize> {
        let ends = |redaction: bool| {
            self.log.iter().enumerate().filter(move |(_, event)| {
                matches!(event, Event::End { entry, redacts, .. } if *entry == at && *redacts == redaction)
            })
        };
        let mut withdrawals = ends(false).filter(|(index, _)| self.trust(*index) > 0);
        ends(true).next().or_else(|| withdrawals.next()).map(|(index, _)| index)
    }

    /// The first card of the version of a card.
    fn first(&self, at: usize) -> usize {
        match &self.log[at] {
            Event::Card { of: Some(of), .. } => self.first(*of),
            _ => at,
        }
    }

    /// Whether a card may come after that of entry `of`: it stands for its version, and has not ended.
    fn goes_on(&self, of: usize) -> bool {
        let is_card = |at: &usize| matches!(self.log[*at], Event::Card { .. });
        let cards = (0..self.log.len()).rev().filter(is_card).filter(|at| self.first(*at) == self.first(of));
        is_card(&of) && cards.into_iter().find(|at| self.trust(*at) > 0) == Some(of) && self.ended(of).is_none()
    }

    fn may_speak(&self, publisher: usize) -> bool {
        let at = self.log.len();
        self.delegation(publisher, at).is_some() && self.publisher(publisher, at) > 0
    }

    /// Whether an event may be entered next.
    fn admits(&self, event: &Event) -> bool {
        let at = self.log.len();
        match event {
            Event::Delegate { publisher, by } => {
                let counts = |index, by| match by {
                    By::Roots => true,
                    By::Registrar(registrar) => self.registrar(registrar, index) > 0,
                };
                self.registrar(*by, at) > 0 && self.key(Whom::Publisher(*publisher), at, counts) > 0
            }
            Event::Card { by, of } => {
                by.iter().all(|publisher| self.may_speak(*publisher)) && of.is_none_or(|of| self.goes_on(of))
            }
            Event::End { entry, redacts, by } => {
                let may = match by {
                    Ender::Publisher(by) => self.may_speak(*by),
                    Ender::Registrar(by) => self.registrar(*by, at) > 0,
                };
                let before = self.ended(*entry).map(|end| &self.log[end]);
                let is_redacted = matches!(before, Some(Event::End { redacts: true, .. }));
                let already = if *redacts { is_redacted } else { before.is_some() };
                may && matches!(self.log[*entry], Event::Card { .. }) && !already
            }
            Event::Revoke { whom, why, by } => {
                let ahead = matches!(why, Why::Since(since) if *since > at);
                let affirms = matches!(why, Why::Unknown { affirms } if !affirms.is_empty());
                let often = |other: &&Event| match other {
                    Event::Revoke { whom: other, why: Why::Unknown { affirms }, by: others } => {
                        other == whom && affirms.is_empty() && (*others == By::Roots) == (*by == By::Roots)
                    }
                    Event::Revoke { whom: other, by: others, .. } => {
                        other == whom && (*others == By::Roots) == (*by == By::Roots)
                    }
                    _ => false,
                };
                if !affirms && self.log.iter().filter(often).count() >= 8 {
                    return false;
                }
                let may = match (by, whom) {
                    (By::Roots, Whom::Publisher(publisher)) => self.delegation(*publisher, at).is_some(),
                    (By::Roots, Whom::Registrar(_)) => true,
                    (By::Registrar(_), Whom::Registrar(_)) => false,
                    (By::Registrar(by), Whom::Publisher(publisher)) => {
                        self.registrar(*by, at) > 0 && !affirms && self.delegation(*publisher, at).is_some()
                    }
                };
                may && !ahead
            }
        }
    }
}

/// Chance that is the same in every run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    /// Mostly a card of the log, if there is one.
    fn card(&mut self, log: &[Event]) -> usize {
        let cards: Vec<usize> = (0..log.len()).filter(|at| matches!(log[*at], Event::Card { .. })).collect();
        if cards.is_empty() || self.below(10) == 0 { self.below(log.len()) } else { cards[self.below(cards.len())] }
    }

    /// Something that somebody tries in a log.
    fn event(&mut self, log: &[Event]) -> Event {
        let size = log.len();
        match self.below(12) {
            0..=2 => Event::Delegate { publisher: self.below(PUBLISHERS), by: self.below(REGISTRARS) },
            3..=6 => {
                let first = self.below(PUBLISHERS);
                let both = self.below(3) == 0;
                let second = (first + 1) % PUBLISHERS;
                let of = (self.below(2) == 0).then(|| self.card(log));
                Event::Card { by: if both { vec![first, second] } else { vec![first] }, of }
            }
            7..=8 => {
                let (entry, redacts) = (self.card(log), self.below(3) == 0);
                let by = match self.below(3) {
                    0 => Ender::Registrar(self.below(REGISTRARS)),
                    _ => Ender::Publisher(self.below(PUBLISHERS)),
                };
                Event::End { entry, redacts, by }
            }
            _ => {
                let whom = match self.below(3) {
                    0 => Whom::Registrar(self.below(REGISTRARS)),
                    _ => Whom::Publisher(self.below(PUBLISHERS)),
                };
                let why = match self.below(6) {
                    0 => Why::Retired,
                    1..=3 => Why::Since(self.below(size + 2)),
                    4 => Why::Unknown { affirms: Vec::new() },
                    _ => Why::Unknown { affirms: vec![self.below(size)] },
                };
                let by = if self.below(2) == 0 { By::Roots } else { By::Registrar(self.below(REGISTRARS)) };
                Event::Revoke { whom, why, by }
            }
        }
    }
}

/// The nation that does what happens, with real keys.
struct Actors {
    nation: Nation,
    envelopes: Vec<Envelope>,
}

impl Actors {
    fn key(&self, role: Role, number: usize) -> SigningKey {
        self.nation.key(role, u8::try_from(number).unwrap())
    }

    fn charter(&mut self) -> Envelope {
        let mut draft = self.nation.charter_draft();
        draft["registrars"] = json!([0, 1].map(|number| self.nation.key_record(Role::Registrar, number)));
        let roots = [self.key(Role::Root, 0), self.key(Role::Root, 1)];
        self.nation.sign(Kind::Charter, draft, &[&roots[0], &roots[1]])
    }

    fn sign(&mut self, event: &Event) -> Envelope {
        let key_record = |nation: &Nation, role, number: usize| nation.key_record(role, u8::try_from(number).unwrap());
        match event {
            Event::Delegate { publisher, by } => {
                let kinds = [Kind::ModelCard, Kind::Withdrawal, Kind::Redaction];
                let mut draft = self.nation.delegation_draft(Role::Publisher, &kinds, &["*"]);
                draft["key"] = json!(key_record(&self.nation, Role::Publisher, *publisher));
                let registrar = self.key(Role::Registrar, *by);
                self.nation.sign(Kind::Delegation, draft, &[&registrar])
            }
            Event::Card { by, of } => {
                let name = of.map_or_else(|| format!("model-{}", self.envelopes.len()), |of| self.model(of));
                let mut draft = self.nation.card_draft(&name, "1.0");
                draft["supersedes"] = json!(of.map(|of| self.envelopes[of].record_digest()));
                let keys: Vec<SigningKey> = by.iter().map(|number| self.key(Role::Publisher, *number)).collect();
                self.nation.sign(Kind::ModelCard, draft, &keys.iter().collect::<Vec<_>>())
            }
            Event::End { entry, redacts, by } => self.end(*entry, *redacts, *by),
            Event::Revoke { whom, why, by } => {
                let keyid = match whom {
                    Whom::Registrar(number) => key_record(&self.nation, Role::Registrar, *number).keyid,
                    Whom::Publisher(number) => key_record(&self.nation, Role::Publisher, *number).keyid,
                };
                let mut draft = self.why(why);
                draft["key"] = json!(keyid);
                let keys = match by {
                    By::Roots => vec![self.key(Role::Root, 1), self.key(Role::Root, 2)],
                    By::Registrar(number) => vec![self.key(Role::Registrar, *number)],
                };
                self.nation.sign(Kind::Revocation, draft, &keys.iter().collect::<Vec<_>>())
            }
        }
    }

    /// The model of which a card speaks; another record speaks of none.
    fn model(&self, at: usize) -> String {
        match Submission::open(self.envelopes[at].clone()).unwrap().record {
            Record::ModelCard(card) => card.name.to_string(),
            _ => "none".to_owned(),
        }
    }

    fn end(&mut self, entry: usize, redacts: bool, by: Ender) -> Envelope {
        let (ended, scope) = (&self.envelopes[entry], format!("lab:{}", self.model(entry)));
        let mut draft = json!({ "kind": Kind::ModelCard, "scope": scope, "reason": "other" });
        if redacts {
            draft["redacts"] = json!(ended.record_digest());
            draft["index"] = json!(entry);
            draft["version"] = json!("1.0");
            draft["signers"] = json!(ended.key_ids().collect::<Vec<_>>());
        } else {
            draft["withdraws"] = json!(ended.record_digest());
        }
        let key = match by {
            Ender::Publisher(number) => self.key(Role::Publisher, number),
            Ender::Registrar(number) => self.key(Role::Registrar, number),
        };
        self.nation.sign(if redacts { Kind::Redaction } else { Kind::Withdrawal }, draft, &[&key])
    }

    fn why(&self, why: &Why) -> Value {
        match why {
            Why::Retired => json!({ "reason": "retired" }),
            Why::Since(since) => json!({ "reason": "compromised-since", "since": since }),
            Why::Unknown { affirms } => {
                let affirms: Vec<_> = affirms.iter().map(|index| self.envelopes[*index].record_digest()).collect();
                json!({ "reason": "compromised-unknown", "affirms": affirms })
            }
        }
    }
}

fn kind_of(event: &Event) -> Kind {
    match event {
        Event::Delegate { .. } => Kind::Delegation,
        Event::Card { .. } => Kind::ModelCard,
        Event::End { redacts: true, .. } => Kind::Redaction,
        Event::End { .. } => Kind::Withdrawal,
        Event::Revoke { .. } => Kind::Revocation,
    }
}

/// One history: each event is tried on both, and after each that counts all is asked again.
fn history(seed: u64, events: usize) -> Tally {
    let mut chance = Chance(seed);
    let mut actors = Actors { nation: Nation::new("FR"), envelopes: Vec::new() };
    let origin = actors.nation.origin.clone();
    let (mut model, mut judge) = (Model::default(), Judge::default());
    let charter = actors.charter();
    judge.admit(&origin, &charter).unwrap();
    actors.envelopes.push(charter);
    // In the model the charter is a revocation of nobody, by the roots, so that positions agree.
    model.log.push(Event::Revoke { whom: Whom::Publisher(usize::MAX), why: Why::Retired, by: By::Roots });
    let mut signers = vec![Vec::new()];
    let mut tally = Tally::default();
    for _ in 0..events {
        let event = chance.event(&model.log);
        let envelope = actors.sign(&event);
        let (expected, decided) = (model.admits(&event), judge.admit(&origin, &envelope));
        let because = decided.as_ref().err().map_or("admitted", |refusal| refusal.code.as_str());
        tally.expect(decided.is_ok() == expected, || {
            format!("seed {seed}, after {:?}: {event:?} was {because}", model.log)
        });
        let other = [
            Code::KeyRevoked,
            Code::KeyUnknown,
            Code::KeyNotAuthorised,
            Code::PositionAhead,
            Code::ReferenceUnknown,
            Code::ReferenceEnded,
            Code::VersionEnded,
            Code::SupersedesUnknown,
        ];
        if let Err(refusal) = &decided {
            tally.expect(other.contains(&refusal.code), || format!("seed {seed}: {event:?}: {refusal}"));
        }
        let Ok(admitted) = decided else { continue };
        if !expected {
            return tally;
        }
        signers.push(admitted.signers().iter().copied().collect());
        actors.envelopes.push(envelope);
        model.log.push(event);
        let roster = judge.state.roster.as_ref().unwrap();
        for (at, (signers, envelope)) in signers.iter().zip(&actors.envelopes).enumerate().skip(1) {
            let trust = match roster.standing(kind_of(&model.log[at]), at as u64, &envelope.record_digest(), signers) {
                Standing::Void { .. } => 0,
                Standing::Contested { .. } => 1,
                Standing::Stands => 2,
            };
            tally.expect(trust == model.trust(at), || {
                format!("seed {seed}: entry {at} of {:?} has {trust}, not {}", model.log, model.trust(at))
            });
            let ended = judge.state.end(&envelope.record_digest()).map(|end| end.index);
            let expected = model.ended(at).map(|at| at as u64);
            tally.expect(ended == expected, || {
                format!("seed {seed}: entry {at} of {:?} was ended by {ended:?}, not {expected:?}", model.log)
            });
        }
    }
    tally
}

pub fn run(share: Share) -> (Tally, String) {
    let seeds: Vec<u64> = (0..share.of(200, 5000)).collect();
    let tally = spread(&seeds, |_, seed| history(*seed, 24));
    (tally, format!("admissions and verdicts in {} random histories, to be those of the model", seeds.len()))
}
