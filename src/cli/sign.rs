//! `cqa sign RUN`: an Ed25519 signature of a run's record, in the format of minisign.

use std::fs::OpenOptions;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use cqa::error::{Error, Result};
use cqa::io::run_dir::write_text;
use cqa::provenance::{SIGNATURE, check_run, read_record};
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox, SignatureBox};

use super::Outcome;
use super::clock::Clock;

const LONG_HELP: &str = "\
run.json holds the SHA-256 of every input and output, so that its signature is one of them all. The signature
is written to RUN/run.json.minisig, and `cqa verify RUN --public-key lab.pub` checks it; so does
`minisign -Vm RUN/run.json -p lab.pub`. What is not as recorded is not signed.

Keys are those of minisign (`minisign -G`, with a password), or made by --new-key lab: lab.key, which is
not protected by a password and must be kept where only its owner can read it, and lab.pub.

A command that changes the run in place (`rank`, `report`) takes its signature away.";

/// Arguments of `cqa sign`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct SignArgs {
    /// Directory that this program wrote
    #[arg(value_name = "RUN", required_unless_present = "new_key", requires = "secret_key")]
    run: Option<PathBuf>,
    /// Secret key; a password is asked for if it has one
    #[arg(long, value_name = "FILE")]
    secret_key: Option<PathBuf>,
    /// Make a pair of keys, NAME.key and NAME.pub, nothing else
    #[arg(long, value_name = "NAME", conflicts_with_all = ["run", "secret_key"])]
    new_key: Option<PathBuf>,
}

/// Signs, or makes keys.
pub fn sign(args: &SignArgs) -> Outcome {
    if let Some(name) = &args.new_key {
        return new_key(name);
    }
    let (Some(run), Some(key)) = (&args.run, &args.secret_key) else {
        return Err(Error::input("nothing to sign", "give a run directory and --secret-key"));
    };
    let checked = check_run(run, Path::new("."))?;
    if checked.n_differences() > 0 {
        return Err(Error::format(
            run,
            "",
            format!("is not as recorded, so it is not signed; `cqa verify {}` tells more", run.display()),
        ));
    }
    let key = secret_key(key)?;
    let record = record_bytes(run)?;
    let comment = format!("time:{} file:run.json cqa:{}", Clock::start().started(), read_record(run)?.version);
    let signature = minisign::sign(None, &key, Cursor::new(record), Some(&comment), Some("signature of a run of cqa"))
        .map_err(|e| Error::input(format!("signing failed: {e}"), "try another key"))?;
    let path = run.join(SIGNATURE);
    write_text(&path, &signature.into_string())?;
    println!("Signed: {}. Give others your public key; `cqa verify --public-key` checks it.", path.display());
    Ok(Vec::new())
}

fn new_key(name: &Path) -> Outcome {
    let with = |ending: &str| PathBuf::from(format!("{}.{ending}", name.display()));
    let pair = KeyPair::generate_unencrypted_keypair();
    let broken = |e: minisign::PError| Error::input(format!("no keys could be made: {e}"), "try again");
    let pair = pair.map_err(broken)?;
    let secret = pair.sk.to_box(Some("secret key of cqa")).map_err(broken)?.into_string();
    let public = pair.pk.to_box().map_err(broken)?.into_string();
    for (path, text, private) in [(with("key"), secret, true), (with("pub"), public, false)] {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
        #[cfg(not(unix))]
        let _ = private;
        let file = options.open(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::format(&path, "", "exists already, and a key is never overwritten; choose another name")
            }
            _ => Error::io(&path, e),
        });
        file?.write_all(text.as_bytes()).map_err(|e| Error::io(&path, e))?;
        println!("Written: {}", path.display());
    }
    println!("The secret key has no password: keep it where only you can read it.");
    Ok(Vec::new())
}

fn secret_key(path: &Path) -> Result<SecretKey> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let wrong = |e: minisign::PError| {
        Error::format(
            path,
            "",
            format!("is no secret key that can be used ({e}); make one with --new-key or `minisign -G`"),
        )
    };
    let sealed = || SecretKeyBox::from_string(&text);
    let plain = match sealed().and_then(SecretKeyBox::into_unencrypted_secret_key) {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    // Unless it has a password, which is asked for on the terminal, what was said first is what is wrong.
    sealed()
        .and_then(|sealed| sealed.into_secret_key(None))
        .map_err(|error| wrong(if error.to_string().contains("not encrypted") { plain } else { error }))
}

fn record_bytes(run: &Path) -> Result<Vec<u8>> {
    let path = run.join("run.json");
    std::fs::read(&path).map_err(|e| Error::io(&path, e))
}

/// What is wrong with the signature of a run's record under a public key (a file, or the key itself); `None` if nothing is.
///
/// # Errors
/// The key or the record cannot be read.
pub fn wrong_signature(run: &Path, key: &str) -> Result<Option<String>> {
    let unknown = |e: minisign::PError| {
        Error::input(
            format!("--public-key {key} is no public key of minisign ({e})"),
            "give the file NAME.pub, or its second line",
        )
    };
    let public = match Path::new(key).exists() {
        true => PublicKey::from_file(key),
        false => PublicKey::from_base64(key),
    };
    let public = public.map_err(unknown)?;
    let path = run.join(SIGNATURE);
    if !path.exists() {
        return Ok(Some(format!("signature {SIGNATURE}: missing; the run was not signed, or was changed since")));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    let Ok(signature) = SignatureBox::from_string(&text) else {
        return Ok(Some(format!("signature {SIGNATURE}: changed; it is no signature any more")));
    };
    match minisign::verify(&public, &signature, Cursor::new(record_bytes(run)?), true, false, false) {
        Ok(()) => {
            println!("Signed: {}", signature.trusted_comment().unwrap_or_default());
            Ok(None)
        }
        Err(e) => Ok(Some(format!("signature {SIGNATURE}: not one of this record by this key ({e})"))),
    }
}
