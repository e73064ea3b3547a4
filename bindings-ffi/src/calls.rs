//! The macros that export calls and functions: through UniFFI, and as rows of the tables that Java uses.

/// Exports each call for both clients: `async` on `Client`, plain on `BlockingClient`. The body of a call returns the core's
/// reply, and may fail with the core's errors.
macro_rules! calls {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($account:ident $(, $argument:ident: $type:ty)* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        #[cfg(feature = "swift")]
        #[uniffi::export]
        impl Client {
            $(
                $(#[$doc])*
                pub async fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    self.run(stringify!($name), move |$account| Ok($body)).await
                }
            )*
        }

        #[cfg(feature = "swift")]
        #[uniffi::export]
        impl BlockingClient {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    self.run(move |$account| Ok($body))
                }
            )*
        }

        pub(crate) const CALLS: &[$crate::jvm::Call] = &[
            $(
                $crate::jvm::Call {
                    name: stringify!($name),
                    number: $crate::jvm::number(concat!(
                        stringify!($name), "(", $( stringify!($argument), ":", stringify!($type), ",", )* ")",
                        stringify!($response),
                    )),
                    blocking: |client, _input, interrupted| {
                        $( let $argument: $type = $crate::jvm::wire::read(_input)?; )*
                        client.make(Some(interrupted), move |$account| Ok($body)).map($crate::jvm::wire::response)
                    },
                    pending: |client, _input| {
                        $( let $argument: $type = $crate::jvm::wire::read(_input)?; )*
                        Ok(client.pending(move |$account| Ok($body)))
                    },
                },
            )*
        ];
    };
}
pub(crate) use calls;

/// Exports functions that belong to no client.
macro_rules! functions {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($( $argument:ident: $type:ty ),* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        $(
            $(#[$doc])*
            #[cfg_attr(feature = "swift", uniffi::export)]
            pub fn $name($( $argument: $type ),*) -> Result<$response, $crate::error::Failure> $body
        )*

        pub(crate) const FUNCTIONS: &[$crate::jvm::Function] = &[
            $(
                $crate::jvm::Function {
                    #[cfg(test)]
                    name: stringify!($name),
                    number: $crate::jvm::number(concat!(
                        stringify!($name), "(", $( stringify!($argument), ":", stringify!($type), ",", )* ")",
                        stringify!($response),
                    )),
                    run: |input| {
                        $( let $argument: $type = $crate::jvm::wire::read(input)?; )*
                        Ok($crate::jvm::wire::value($name($( $argument ),*)?))
                    },
                },
            )*
        ];
    };
}
pub(crate) use functions;
