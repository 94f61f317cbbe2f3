//! What the programs log in development builds (feature `kernel-log`), passed on to the log of this
//! process.

use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::io::unix::AsyncFd;

/// Follows the log of the programs of one interface until the process ends.
pub(super) fn follow(object: &mut Ebpf) {
    let logger = match EbpfLogger::init(object) {
        Ok(logger) => logger,
        Err(error) => {
            tracing::warn!("the kernel programs log nothing: {error}");
            return;
        }
    };
    // SAFETY: the logger owns its descriptor and keeps it open and unchanged until it is dropped.
    let logger = match unsafe { AsyncFd::register(logger) } {
        Ok(logger) => logger,
        Err(error) => {
            tracing::warn!("the log of the kernel programs cannot be waited for: {error}");
            return;
        }
    };
    tokio::spawn(drain(logger));
}

async fn drain(mut logger: AsyncFd<EbpfLogger<&'static dyn log::Log>>) {
    while let Ok(mut guard) = logger.readable_mut().await {
        guard.get_inner_mut().flush();
        guard.clear_ready();
    }
}
