//! The Ed25519 profile for whoever compares verifiers: as `tests/judges`, it reads `key:message:signature`
//! in hexadecimal from each line of standard input, and answers with `1` where the signature holds, else `0`.

use chancery_schema::key;

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lines() {
        println!("{}", u8::from(holds(&line?).unwrap_or(false)));
    }
    Ok(())
}

fn holds(line: &str) -> Option<bool> {
    let parts: Option<Vec<Vec<u8>>> = line.trim().split(':').map(unhex).collect();
    let [public, message, signature] = parts?.try_into().ok()?;
    let (public, signature) = (public.try_into().ok()?, signature.try_into().ok()?);
    Some(key::verify(&public, &message, &signature).is_ok())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
