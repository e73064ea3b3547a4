//! The macros that declare calls and functions. Each declaration becomes a row of a table of the bridge, and a part of the
//! description that the generator reads.

/// Declares calls, which both clients have. The body of a call returns the core's reply, and may fail with the core's errors.
macro_rules! calls {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($account:ident $(, $argument:ident: $type:ty)* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        #[cfg(feature = "description")]
        use $crate::Client;

        #[cfg(feature = "description")]
        #[allow(unused_variables)]
        #[uniffi::export]
        impl Client {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    $crate::calls::described()
                }
            )*
        }

        pub(crate) const CALLS: &[$crate::bridge::Call] = &[
            $(
                $crate::bridge::Call {
                    name: stringify!($name),
                    number: $crate::bridge::number(concat!(
                        stringify!($name), "(", $( stringify!($argument), ":", stringify!($type), ",", )* ")",
                        stringify!($response),
                    )),
                    blocking: |client, _input, interrupted| {
                        $( let $argument: $type = $crate::bridge::wire::read(_input)?; )*
                        client
                            .make(interrupted, move |$account| Ok($body))
                            .map($crate::bridge::wire::response::<$response, _>)
                    },
                    pending: |client, _input| {
                        $( let $argument: $type = $crate::bridge::wire::read(_input)?; )*
                        Ok(client.pending::<$response, _>(move |$account| Ok($body)))
                    },
                },
            )*
        ];
    };
}
pub(crate) use calls;

/// The body of a method that only describes a call. Nothing calls it.
#[cfg(feature = "description")]
pub(crate) fn described<T>() -> Result<T, crate::error::Failure> {
    Err(crate::error::Failure::internal("this function is only a description"))
}

/// Declares functions that belong to no client.
macro_rules! functions {
    (
        $(
            $(#[$doc:meta])*
            fn $name:ident($( $argument:ident: $type:ty ),* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        $(
            $(#[$doc])*
            #[cfg_attr(feature = "description", uniffi::export)]
            pub fn $name($( $argument: $type ),*) -> Result<$response, $crate::error::Failure> $body
        )*

        pub(crate) const FUNCTIONS: &[$crate::bridge::Function] = &[
            $(
                $crate::bridge::Function {
                    #[cfg(test)]
                    name: stringify!($name),
                    number: $crate::bridge::number(concat!(
                        stringify!($name), "(", $( stringify!($argument), ":", stringify!($type), ",", )* ")",
                        stringify!($response),
                    )),
                    run: |input| {
                        $( let $argument: $type = $crate::bridge::wire::read(input)?; )*
                        Ok($crate::bridge::wire::value($name($( $argument ),*)?))
                    },
                },
            )*
        ];
    };
}
pub(crate) use functions;
