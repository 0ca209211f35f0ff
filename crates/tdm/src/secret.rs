//! Resolves references to secrets. The only place that reads one.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use tdm_core::keyring::RootKey;
use tdm_core::place::SecretRef;
use tdm_core::redact::Secret;

use crate::error::{Error, Result};
use crate::settings::Settings;

/// The secret behind `reference`.
///
/// # Errors
/// When it cannot be had. The error names the reference, never what it led to.
pub(crate) fn resolve(reference: &SecretRef) -> Result<Secret> {
    let fail = |reason: String| Error::Settings(format!("secret {reference}: {reason}"));
    let text = match reference {
        SecretRef::Env(name) => {
            std::env::var(name).map_err(|_| fail("the variable is not set".to_owned()))?
        }
        SecretRef::File(path) => read_private(Path::new(path)).map_err(fail)?,
        SecretRef::Command(command) => output_of(command).map_err(fail)?,
        _ => return Err(fail("this kind of reference is not supported".to_owned())),
    };
    Ok(Secret::new(text.trim()))
}

/// The root key of masking; made and stored with mode 0600 when the settings allow it and there is none.
///
/// # Errors
/// When the key cannot be had or is not 64 hexadecimal digits.
pub(crate) fn root_key(settings: &Settings) -> Result<RootKey> {
    if let (SecretRef::File(path), true) = (&settings.key, settings.key_may_be_made)
        && !Path::new(path).exists()
    {
        make_key(Path::new(path))?;
    }
    let secret = resolve(&settings.key)?;
    RootKey::from_hex(secret.expose())
        .map_err(|error| Error::Settings(format!("key {}: {error}", settings.key)))
}

fn make_key(path: &Path) -> Result<()> {
    let mut bytes = [0; 32];
    let random = Path::new("/dev/urandom");
    let mut source = std::fs::File::open(random).map_err(|error| Error::file(random, &error))?;
    source
        .read_exact(&mut bytes)
        .map_err(|error| Error::file(random, &error))?;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, &error))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => writeln!(file, "{}", tdm_core::catalog::hex(&bytes))
            .and_then(|()| file.sync_all())
            .map_err(|error| Error::file(path, &error)),
        // Another process was faster: its key is as good, and the only one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::file(path, &error)),
    }
}

fn read_private(path: &Path) -> Result<String, String> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| error.kind().to_string())?;
    if !metadata.is_file() {
        return Err("is not a plain file".to_owned());
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err("others may read it; run `chmod 600` on it".to_owned());
    }
    std::fs::read_to_string(path).map_err(|error| error.kind().to_string())
}

fn output_of(command: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("is empty")?;
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| error.kind().to_string())?;
    if !output.status.success() {
        return Err(format!("ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "its output is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tdm_core::keyring::Keyring as _;

    #[test]
    fn the_default_key_is_made_once_and_kept_private() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::resolve(directory.path(), &BTreeMap::new()).unwrap();
        let first = root_key(&settings).unwrap().fingerprint();
        assert_eq!(root_key(&settings).unwrap().fingerprint(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = directory.path().join(".tdm/key");
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(
                root_key(&settings)
                    .unwrap_err()
                    .to_string()
                    .contains("chmod 600")
            );
        }
    }

    #[test]
    fn an_error_names_the_reference_and_not_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::resolve(directory.path(), &BTreeMap::new()).unwrap();
        settings.key = SecretRef::Command("echo hunter2".to_owned());
        let error = root_key(&settings).unwrap_err().to_string();
        assert!(
            error.contains("cmd:echo") && !error.contains("hunter2 is"),
            "{error}"
        );
        settings.key = SecretRef::Command("false".to_owned());
        assert!(root_key(&settings).is_err());
    }
}
