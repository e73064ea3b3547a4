//! The macro that exports calls.

/// Exports each call for both clients: `async` on `Client`, plain on `BlockingClient`. The body of a call returns the core's
/// reply, and may fail with the core's errors.
macro_rules! calls {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($account:ident $(, $argument:ident: $type:ty)* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        #[uniffi::export]
        impl Client {
            $(
                $(#[$doc])*
                pub async fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    self.run(stringify!($name), move |$account| Ok($body)).await
                }
            )*
        }

        #[uniffi::export]
        impl BlockingClient {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    self.run(move |$account| Ok($body))
                }
            )*
        }

        /// The names of the calls that are exported here, for the tests.
        #[cfg(test)]
        pub(crate) const CALLS: &[&str] = &[ $( stringify!($name) ),* ];
    };
}
pub(crate) use calls;
