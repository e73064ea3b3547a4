//! How a call is exported.

/// Calls of both clients, written once: `async` on `Client`, plain on `BlockingClient`. The expression of a call gives the
/// core's reply to it, and may fail with the core's errors.
macro_rules! calls {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($account:ident $(, $argument:ident: $type:ty)* $(,)?) -> $answer:ty $body:block
        )*
    ) => {
        #[uniffi::export]
        impl Client {
            $(
                $(#[$doc])*
                pub async fn $name(&self $(, $argument: $type)*) -> Result<$answer, $crate::error::Failure> {
                    self.run(stringify!($name), move |$account| Ok($body)).await
                }
            )*
        }

        #[uniffi::export]
        impl BlockingClient {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$answer, $crate::error::Failure> {
                    self.run(move |$account| Ok($body))
                }
            )*
        }

        /// What was exported here, for the tests.
        #[cfg(test)]
        pub(crate) const CALLS: &[$crate::tests::calls::Exported] = &[ $( $crate::tests::calls::exported!($name $(, $argument)*) ),* ];
    };
}
pub(crate) use calls;
