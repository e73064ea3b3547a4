//! The signals that end a command.

use signal_hook::consts::{SIGINT, SIGTERM};
use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

/// Catches the signals that end a program. The flag is set by the first. The second ends the program at once.
pub(crate) fn catch_signals() -> io::Result<Arc<AtomicBool>> {
    let ended = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    for signal in signals {
        signal_hook::flag::register_conditional_shutdown(signal, 130, ended.clone())?;
        signal_hook::flag::register(signal, ended.clone())?;
    }
    Ok(ended)
}
