//! Tokens, as one process uses them.
//!
//! A library is loaded, and a token logged into, once for the whole process: so the standard has it, and
//! so a PIN that was wrong for one key is not tried again for the next, which could lock the token.
//! Each token has a thread of its own, because nothing else bounds a call into somebody's library.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};

use super::uri::Uri;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Passphrase;

/// How long a token may take to answer. A card needs a second; whoever waits for a signature holds up
/// the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many may wait for one token: a node signs with three keys, and gives up after [`PATIENCE`].
const WAITING_MAX: usize = 16;

/// Every library that was loaded and every token that was opened, for as long as the process runs.
static OPENED: Mutex<Opened> = Mutex::new(Opened { modules: Vec::new(), tokens: Vec::new() });

struct Opened {
    modules: Vec<(PathBuf, Pkcs11)>,
    tokens: Vec<Arc<Token>>,
}

impl Opened {
    /// The library that `uri` names, under whichever of its names, and its one path.
    fn module(&mut self, uri: &Uri) -> Outcome<(Pkcs11, PathBuf)> {
        let shown = uri.module.display();
        let hint = "install what the token's maker gives for it, or correct module-path";
        let attempted = || format!("failed to load the PKCS#11 module {shown}; {hint}");
        let path = uri.module.canonicalize().or_exit(Exit::Authority, attempted)?;
        if let Some((_, module)) = self.modules.iter().find(|(known, _)| *known == path) {
            return Ok((module.clone(), path));
        }
        let module = Pkcs11::new(&path).or_exit(Exit::Authority, attempted)?;
        let started = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        let started = started.map_err(|error| anyhow::Error::msg(words(&error)));
        started.or_exit(Exit::Authority, || format!("failed to start the PKCS#11 module {shown}"))?;
        self.modules.push((path.clone(), module.clone()));
        Ok((module, path))
    }
}

/// A token that is logged into.
pub struct Token {
    module: PathBuf,
    label: String,
    serial: String,
    jobs: SyncSender<Job>,
}

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

impl Token {
    /// The token that `uri` names, logged into with `pin` unless this process has done so.
    ///
    /// # Errors
    /// When its module does not load, it is not there, or nobody tells the PIN.
    pub fn of(uri: &Uri, pin: impl FnOnce() -> Outcome<Passphrase>) -> Outcome<Arc<Self>> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let (module, path) = opened.module(uri)?;
        let found = present(&module, |info| matches(info, uri)).map_err(|Problem(words)| words);
        let found = found.map_err(anyhow::Error::msg).or_exit(Exit::Authority, || attempted(uri))?;
        let mut found = found.into_iter().filter(|(slot, _)| uri.slot_id.is_none_or(|asked| asked == slot.id()));
        let info = match (found.next(), found.next()) {
            (Some((_, info)), None) => info,
            (None, _) => {
                let hint = "connect it, start its service, or correct the PKCS#11 URI";
                return fail(Exit::Authority, format!("{}: {} is not there; {hint}", attempted(uri), uri.place()));
            }
            _ => {
                let hint = "tell them apart by serial=";
                return fail(Exit::Usage, format!("{}: there are several such tokens; {hint}", attempted(uri)));
            }
        };
        let (label, serial) = (info.label().to_owned(), info.serial_number().to_owned());
        let same = |token: &&Arc<Self>| (&token.module, &token.label, &token.serial) == (&path, &label, &serial);
        if let Some(token) = opened.tokens.iter().find(same) {
            return Ok(Arc::clone(token));
        }
        let mut worker =
            Worker { module, label: label.clone(), serial: serial.clone(), pin: pin()?, refused: false, session: None };
        let (jobs, waiting) = mpsc::sync_channel::<Job>(WAITING_MAX);
        std::thread::Builder::new().name("token".to_owned()).spawn(move || {
            for job in waiting {
                job(&mut worker);
            }
        })?;
        let token = Arc::new(Self { module: path, label, serial, jobs });
        opened.tokens.push(Arc::clone(&token));
        Ok(token)
    }

    /// Has the token's thread do `work` in a session, and waits for the answer, but not for ever.
    ///
    /// # Errors
    /// With what was wrong and how to mend it.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl Fn(&Session) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, String> {
        let (answer, wait) = mpsc::sync_channel(1);
        let job = Box::new(move |worker: &mut Worker| {
            // Whoever asked may have given up.
            let _ = answer.send(worker.work(&work).map_err(|Problem(words)| words));
        });
        let hangs = || format!("the token did not answer within {} seconds; see whether it hangs", PATIENCE.as_secs());
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(hangs()),
            Err(TrySendError::Disconnected(_)) => return Err(STOPPED.to_owned()),
        }
        match wait.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(hangs()),
            Err(RecvTimeoutError::Disconnected) => Err(STOPPED.to_owned()),
        }
    }
}

const STOPPED: &str = "the module that speaks to the token has failed; restart this process";

const WRONG_PIN: &str =
    "the PIN is wrong; it was tried once and is not tried again, lest the token lock; correct it and start anew";

/// What a token's thread holds.
struct Worker {
    module: Pkcs11,
    label: String,
    serial: String,
    pin: Passphrase,
    refused: bool,
    session: Option<Session>,
}

impl Worker {
    /// Works in the session that is open; where that does not answer as it should, in a new one, once: a token
    /// that was away has forgotten the login, and then shows no private keys or fails in ways of its own.
    fn work<T>(&mut self, work: &impl Fn(&Session) -> Result<T, Problem>) -> Result<T, Problem> {
        if let Some(session) = self.session.take()
            && let Ok(answer) = work(&session)
        {
            self.session = Some(session);
            return Ok(answer);
        }
        let session = self.log_in()?;
        let answer = work(&session)?;
        self.session = Some(session);
        Ok(answer)
    }

    fn log_in(&mut self) -> Result<Session, Problem> {
        if self.refused {
            return Err(Problem::from(WRONG_PIN));
        }
        let same = |info: &TokenInfo| (info.label(), info.serial_number()) == (&*self.label, &*self.serial);
        let found = present(&self.module, same)?.pop();
        let (slot, info) = found.ok_or("the token is not there; connect it, or start its service")?;
        if info.user_pin_locked() {
            return Err(Problem::from("the token's PIN is locked; its security officer can set another"));
        }
        if info.user_pin_final_try() {
            return Err(Problem::from(
                "one more wrong PIN would lock the token; log in once with the token's own tool, then try again",
            ));
        }
        let module = &self.module;
        let session = if info.write_protected() { module.open_ro_session(slot) } else { module.open_rw_session(slot) }?;
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinLocked,
                _,
            )) => {
                self.refused = true;
                Err(Problem::from(WRONG_PIN))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The tokens that are there now and that `is_meant` picks.
fn present(module: &Pkcs11, is_meant: impl Fn(&TokenInfo) -> bool) -> Result<Vec<(Slot, TokenInfo)>, Problem> {
    let slots = module.get_slots_with_token()?.into_iter();
    // A slot that cannot say what is in it holds none that we could use.
    let held = slots.filter_map(|slot| Some((slot, module.get_token_info(slot).ok()?)));
    Ok(held.filter(|(_, info)| info.token_initialized() && is_meant(info)).collect())
}

fn matches(info: &TokenInfo, uri: &Uri) -> bool {
    [
        (&uri.token, info.label()),
        (&uri.serial, info.serial_number()),
        (&uri.manufacturer, info.manufacturer_id()),
        (&uri.model, info.model()),
    ]
    .iter()
    .all(|(asked, found)| asked.as_ref().is_none_or(|asked| asked == found))
}

/// What is said first when a key does not open.
pub fn attempted(uri: &Uri) -> String {
    format!("failed to open {}", uri.key())
}

/// Why a token did not do what was asked, in words.
pub struct Problem(pub String);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(words(&error))
    }
}

impl From<&str> for Problem {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// The library's own texts are whole paragraphs of the standard; these say what to do.
fn words(error: &Error) -> String {
    let Error::Pkcs11(answer, function) = error else { return error.to_string() };
    let hint = match answer {
        RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::DeviceRemoved | RvError::SlotIdInvalid => {
            "; connect the token, or start its service"
        }
        RvError::SessionHandleInvalid | RvError::SessionClosed | RvError::UserNotLoggedIn => {
            "; the session was lost, try again"
        }
        RvError::MechanismInvalid | RvError::CurveNotSupported => "; the token does not know Ed25519",
        RvError::DataLenRange => "; the token does not sign a message of this length",
        RvError::KeyFunctionNotPermitted => "; the key was made without the right to sign",
        RvError::UserPinNotInitialized => "; set a PIN with the token's own tool",
        RvError::TokenWriteProtected | RvError::SessionReadOnly => "; the token takes no new key",
        _ => "",
    };
    format!("the token answered {answer:?} to {function:?}{hint}")
}
