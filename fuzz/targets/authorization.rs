//! `Authorization` headers: what is read is within its bounds, shows no secret, and reads the same when written again.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use havre_fuzz::presented::{MAX_NAME, MAX_PASSWORD, Presented};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    match Presented::parse(Some(header)) {
        Ok(Presented::Basic { name, secret }) => {
            assert!(name.len() <= MAX_NAME && secret.len() <= MAX_PASSWORD);
            assert!(!name.contains(':') && !format!("{name}{secret}").contains('\0'));
            let again = format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
            let read = Presented::Basic { name, secret };
            assert_eq!(Presented::parse(Some(&again)), Ok(read));
        }
        Ok(Presented::Bearer(token)) => {
            assert!(token.bytes().all(|byte| byte.is_ascii_graphic()) && token.len() <= 16 * 1024);
            let again = format!("Bearer {token}");
            assert_eq!(format!("{:?}", Presented::parse(Some(&again)).unwrap()), "Bearer(…)");
        }
        Ok(Presented::Nothing) | Err(_) => {}
    }
});
