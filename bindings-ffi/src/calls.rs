//! The macros that declare calls, functions, and the methods of objects. Each declaration becomes a row of a table of the bridge, and
//! a part of the description that the generator reads.

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

/// Declares methods of an object that do not wait for the network. Their names start with that of the object.
macro_rules! methods {
    (
        $object:ident:
        $(
            $(#[$doc:meta])*
            fn $name:ident($this:ident $(, $argument:ident: $type:ty)* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        #[cfg(feature = "description")]
        #[allow(unused_variables)]
        #[uniffi::export]
        impl $object {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    $crate::calls::described()
                }
            )*
        }

        pub(crate) const METHODS: &[$crate::bridge::objects::Method] = &[
            $(
                $crate::bridge::objects::Method {
                    #[cfg(test)]
                    name: stringify!($name),
                    number: $crate::calls::number!($name $($argument: $type)* => $response),
                    run: |object, _input| {
                        let $crate::bridge::objects::Object::$object($this) = object else {
                            return Err($crate::bridge::unknown());
                        };
                        $( let $argument: $type = $crate::bridge::wire::read(_input)?; )*
                        let response: Result<_, $crate::error::Failure> = $body;
                        response.map($crate::bridge::wire::response::<$response, _>)
                    },
                },
            )*
        ];
    };
}
pub(crate) use methods;

/// Declares methods of an object that call the service. Each names the call that its errors name. The client for these calls is an
/// async one, whatever kind of client has created the object. An operation that `finishes` continues if its thread is
/// interrupted.
macro_rules! operations {
    (
        $object:ident:
        $(
            $(#[$doc:meta])*
            $kind:ident($call:literal)
            fn $name:ident($this:ident, $client:ident $(, $argument:ident: $type:ty)* $(,)?) -> $response:ty $body:block
        )*
    ) => {
        #[cfg(feature = "description")]
        #[allow(unused_variables)]
        #[uniffi::export]
        impl $object {
            $(
                $(#[$doc])*
                pub fn $name(&self $(, $argument: $type)*) -> Result<$response, $crate::error::Failure> {
                    $crate::calls::described()
                }
            )*
        }

        pub(crate) const OPERATIONS: &[$crate::bridge::Operation] = &[
            $(
                $crate::bridge::Operation {
                    #[cfg(test)]
                    name: stringify!($name),
                    number: $crate::calls::number!($name $($argument: $type)* => $response),
                    call: $call,
                    is_interruptible: $crate::calls::operations!(@ $kind),
                    make: |object, client, _input| {
                        let (Some($crate::bridge::objects::Object::$object($this)), Some($client)) = (object, client)
                        else {
                            return Err($crate::bridge::unknown());
                        };
                        $( let $argument: $type = $crate::bridge::wire::read(_input)?; )*
                        Ok(Box::pin(async move {
                            let response: Result<_, $crate::error::Failure> = async { $body }.await;
                            response.map($crate::bridge::wire::response::<$response, _>)
                        }))
                    },
                },
            )*
        ];
    };
    (@ calls) => { true };
    (@ finishes) => { false };
}
pub(crate) use operations;

/// The number of a method.
macro_rules! number {
    ($name:ident $($argument:ident: $type:ty)* => $response:ty) => {
        $crate::bridge::number(concat!(
            stringify!($name), "(", $( stringify!($argument), ":", stringify!($type), ",", )* ")", stringify!($response),
        ))
    };
}
pub(crate) use number;
