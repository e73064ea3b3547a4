//! The native methods of the class `com.proxymesh.internal.Native`. This is the only module that uses JNI's functions.
//!
//! Several class loaders may share this library, so nothing of a class loader is kept here for longer than a call. What is kept
//! are classes and methods of the JVM itself.

use super::{caught, invoke, objects, start, tasks};
use crate::log::Log;
use jni_sys::{
    JNI_EDETACHED, JNI_ERR, JNI_OK, JNI_VERSION_1_6, JNIEnv, JavaVM, JavaVMAttachArgs, jarray, jboolean,
    jbyteArray, jclass, jint, jlong, jmethodID, jobject, jvalue,
};
use std::{
    cell::OnceCell,
    ffi::{CStr, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::null_mut,
    sync::{Arc, OnceLock},
};

/// What this library uses of the JVM.
struct Java {
    vm: *mut JavaVM,
    thread: jclass,
    current_thread: jmethodID,
    is_interrupted: jmethodID,
    /// `Consumer.accept`.
    accept: jmethodID,
}

// SAFETY: the JVM allows every thread to use these. `thread` is a global reference, and the classes are never unloaded.
unsafe impl Send for Java {}
unsafe impl Sync for Java {}

static JAVA: OnceLock<Java> = OnceLock::new();

/// Calls a function of JNI.
macro_rules! jni {
    ($env:expr, $function:ident $(, $argument:expr)*) => {
        ((**$env).v1_6.$function)($env $(, $argument)*)
    };
}

/// The JVM calls this when a class loader loads the library.
#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(vm: *mut JavaVM, _: *mut c_void) -> jint {
    let mut env = null_mut();
    // SAFETY: `vm` is the JVM that loads this library, and `env` belongs to this thread.
    unsafe {
        if ((**vm).v1_4.GetEnv)(vm, &raw mut env, JNI_VERSION_1_6) != JNI_OK {
            return JNI_ERR;
        }
        // Another class loader may have loaded the library before.
        if JAVA.get().is_some() {
            return JNI_VERSION_1_6;
        }
        match find(vm, env.cast()) {
            Some(java) => {
                let _ = JAVA.set(java);
                JNI_VERSION_1_6
            }
            None => JNI_ERR,
        }
    }
}

/// Finds the classes and methods. If one is missing, an exception is pending.
unsafe fn find(vm: *mut JavaVM, env: *mut JNIEnv) -> Option<Java> {
    let class =
        |name: &CStr| Some(unsafe { jni!(env, FindClass, name.as_ptr()) }).filter(|class| !class.is_null());
    let some = |method: jmethodID| Some(method).filter(|method| !method.is_null());
    // SAFETY: the classes are checked before they are used, and the names and signatures are those of the JVM's own methods.
    unsafe {
        let thread = class(c"java/lang/Thread")?;
        let consumer = class(c"java/util/function/Consumer")?;
        let current =
            jni!(env, GetStaticMethodID, thread, c"currentThread".as_ptr(), c"()Ljava/lang/Thread;".as_ptr());
        let interrupted = jni!(env, GetMethodID, thread, c"isInterrupted".as_ptr(), c"()Z".as_ptr());
        let accept = jni!(env, GetMethodID, consumer, c"accept".as_ptr(), c"(Ljava/lang/Object;)V".as_ptr());
        Some(Java {
            vm,
            thread: jni!(env, NewGlobalRef, thread),
            current_thread: some(current)?,
            is_interrupted: some(interrupted)?,
            accept: some(accept)?,
        })
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_com_proxymesh_internal_Native_version(env: *mut JNIEnv, _: jobject) -> jbyteArray {
    // SAFETY: the JVM passes the environment of this thread.
    unsafe { to_java(env, env!("CARGO_PKG_VERSION").as_bytes()) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_com_proxymesh_internal_Native_invoke(
    env: *mut JNIEnv,
    _: jobject,
    handle: jlong,
    number: jint,
    arguments: jbyteArray,
    log: jobject,
) -> jbyteArray {
    // SAFETY: the JVM passes the environment of this thread, an array, and a `Consumer` or null.
    let (arguments, log) = unsafe { (from_java(env, arguments), logged(env, log)) };
    let interrupted = || unsafe { is_interrupted(env) };
    let answer = caught(|| invoke(handle, number, &arguments, Some(&interrupted), log.as_ref()));
    // SAFETY: as above.
    unsafe { to_java(env, &answer) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_com_proxymesh_internal_Native_start(
    env: *mut JNIEnv,
    _: jobject,
    handle: jlong,
    number: jint,
    arguments: jbyteArray,
    log: jobject,
    done: jobject,
) -> jlong {
    // SAFETY: the JVM passes the environment of this thread, an array, a `Consumer` or null, and a `Consumer`.
    let (arguments, log, done) =
        unsafe { (from_java(env, arguments), logged(env, log), Consumer::new(env, done)) };
    let started = catch_unwind(AssertUnwindSafe(|| {
        let task = tasks::number();
        start(task, handle, number, &arguments, log.as_ref(), move |answer| done.accept(&answer));
        task
    }));
    started.unwrap_or(0)
}

#[unsafe(no_mangle)]
extern "system" fn Java_com_proxymesh_internal_Native_cancel(_: *mut JNIEnv, _: jobject, task: jlong) {
    let _ = catch_unwind(|| tasks::cancel(task));
}

#[unsafe(no_mangle)]
extern "system" fn Java_com_proxymesh_internal_Native_release(_: *mut JNIEnv, _: jobject, handle: jlong) {
    let _ = catch_unwind(|| objects::release(handle));
}

/// The bytes of an array.
unsafe fn from_java(env: *mut JNIEnv, array: jbyteArray) -> Vec<u8> {
    // SAFETY: the buffer is as long as the array. The JVM fills all of it.
    unsafe {
        let length = jni!(env, GetArrayLength, array as jarray);
        let mut bytes = vec![0_u8; usize::try_from(length).unwrap_or(0)];
        jni!(env, GetByteArrayRegion, array, 0, length, bytes.as_mut_ptr().cast());
        bytes
    }
}

/// A new array with these bytes. It is null if the JVM is out of memory, and then an `OutOfMemoryError` is pending.
unsafe fn to_java(env: *mut JNIEnv, bytes: &[u8]) -> jbyteArray {
    // No response is this long.
    let length = jint::try_from(bytes.len()).unwrap_or(0);
    // SAFETY: the array is as long as the bytes.
    unsafe {
        let array = jni!(env, NewByteArray, length);
        if !array.is_null() {
            jni!(env, SetByteArrayRegion, array, 0, length, bytes.as_ptr().cast());
        }
        array
    }
}

/// Whether this thread is interrupted. It stays interrupted.
unsafe fn is_interrupted(env: *mut JNIEnv) -> bool {
    let Some(java) = JAVA.get() else { return false };
    // SAFETY: `env` belongs to this thread, and neither method has parameters. Neither throws.
    unsafe {
        let thread =
            jni!(env, CallStaticObjectMethodA, java.thread, java.current_thread, null_mut::<jvalue>());
        if jni!(env, ExceptionCheck) || thread.is_null() {
            return false;
        }
        let interrupted: jboolean =
            jni!(env, CallBooleanMethodA, thread, java.is_interrupted, null_mut::<jvalue>());
        let failed = jni!(env, ExceptionCheck);
        jni!(env, DeleteLocalRef, thread);
        interrupted && !failed
    }
}

/// A `Consumer` that waits for bytes, as a global reference.
struct Consumer(jobject);

// SAFETY: every thread may use a global reference.
unsafe impl Send for Consumer {}
unsafe impl Sync for Consumer {}

impl Consumer {
    unsafe fn new(env: *mut JNIEnv, consumer: jobject) -> Self {
        // SAFETY: the caller guarantees this.
        Self(unsafe { jni!(env, NewGlobalRef, consumer) })
    }

    /// Passes on the bytes, or null if the JVM is out of memory.
    fn accept(&self, bytes: &[u8]) {
        // SAFETY: `env` belongs to this thread.
        self.call(|env| Some(unsafe { to_java(env, bytes) }));
    }

    /// Passes on the object that `make` creates, if it does.
    fn call(&self, make: impl FnOnce(*mut JNIEnv) -> Option<jobject>) {
        let Some((java, env)) = environment() else { return };
        let made = make(env);
        // SAFETY: `env` belongs to this thread. `accept` takes one object.
        unsafe {
            jni!(env, ExceptionClear); // the JVM may be out of memory
            let Some(object) = made else { return };
            let arguments = [jvalue { l: object }];
            jni!(env, CallVoidMethodA, self.0, java.accept, arguments.as_ptr());
            jni!(env, ExceptionClear); // nobody is left to catch it
            // The worker never returns to the JVM, which would delete the reference then.
            jni!(env, DeleteLocalRef, object);
        }
    }
}

/// The `Consumer` of a call's records. It keeps what it gets, and writes what it has kept when it gets null.
impl Log for Consumer {
    fn keep(&self, record: &[u8]) {
        // Without memory for it, a record is lost. Null would be taken for `write`.
        // SAFETY: `env` belongs to this thread.
        self.call(|env| Some(unsafe { to_java(env, record) }).filter(|array| !array.is_null()));
    }

    fn write(&self) {
        self.call(|_| Some(null_mut()));
    }
}

/// The log of a call, if it has one.
unsafe fn logged(env: *mut JNIEnv, log: jobject) -> Option<Arc<dyn Log>> {
    if log.is_null() {
        return None;
    }
    // SAFETY: the caller guarantees this.
    Some(Arc::new(unsafe { Consumer::new(env, log) }))
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let Some((_, env)) = environment() else { return };
        // SAFETY: `env` belongs to this thread, and nobody else has this reference.
        unsafe { jni!(env, DeleteGlobalRef, self.0) };
    }
}

/// A thread of this library, while it is attached to the JVM. It is a daemon, so the JVM does not wait for it.
struct Attached(&'static Java);

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: this thread was attached by `environment`, and it ends now.
        unsafe { ((**self.0.vm).v1_4.DetachCurrentThread)(self.0.vm) };
    }
}

/// The JVM, and the environment of this thread. A thread of this library stays attached until it ends, because attaching it for
/// each call would take longer than everything else that happens to a response.
fn environment() -> Option<(&'static Java, *mut JNIEnv)> {
    thread_local!(static ATTACHED: OnceCell<Attached> = const { OnceCell::new() });
    let java = JAVA.get()?;
    let mut env = null_mut();
    // SAFETY: `vm` is the JVM that has loaded this library. The name is copied.
    unsafe {
        let state = ((**java.vm).v1_4.GetEnv)(java.vm, &raw mut env, JNI_VERSION_1_6);
        if state == JNI_EDETACHED {
            let mut arguments = JavaVMAttachArgs {
                version: JNI_VERSION_1_6,
                name: c"proxymesh".as_ptr().cast_mut(),
                group: null_mut(),
            };
            let attached = ((**java.vm).v1_4.AttachCurrentThreadAsDaemon)(
                java.vm,
                &raw mut env,
                (&raw mut arguments).cast(),
            );
            if attached != JNI_OK {
                return None;
            }
            let _ = ATTACHED.try_with(|this| this.set(Attached(java)));
        } else if state != JNI_OK {
            return None;
        }
    }
    Some((java, env.cast()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jni_sys::{JNIInvokeInterface_, JNINativeInterface_, jbyte, jsize};
    use std::{
        mem::MaybeUninit,
        sync::{
            Mutex,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
    };

    static HAS_MEMORY: AtomicBool = AtomicBool::new(true);
    static ENV: AtomicUsize = AtomicUsize::new(0);
    /// Whether each object that was passed on was an array, and not null.
    static PASSED_ON: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    unsafe extern "system" fn get_env(_: *mut JavaVM, env: *mut *mut c_void, _: jint) -> jint {
        unsafe { *env = ENV.load(Ordering::Relaxed) as *mut c_void };
        JNI_OK
    }

    unsafe extern "system" fn new_byte_array(_: *mut JNIEnv, _: jsize) -> jbyteArray {
        if HAS_MEMORY.load(Ordering::Relaxed) { std::ptr::dangling_mut() } else { null_mut() }
    }

    unsafe extern "system" fn fill(_: *mut JNIEnv, _: jbyteArray, _: jsize, _: jsize, _: *const jbyte) {}

    unsafe extern "system" fn accept(_: *mut JNIEnv, _: jobject, _: jmethodID, arguments: *const jvalue) {
        PASSED_ON.lock().unwrap().push(!unsafe { (*arguments).l }.is_null());
    }

    unsafe extern "system" fn clear(_: *mut JNIEnv) {}

    unsafe extern "system" fn reference(_: *mut JNIEnv, object: jobject) -> jobject {
        object
    }

    unsafe extern "system" fn forget(_: *mut JNIEnv, _: jobject) {}

    /// Null means that a log is to write what it has kept, and that a call's answer does not fit into the JVM's memory.
    #[test]
    fn a_record_that_does_not_fit_into_the_jvms_memory_is_not_taken_for_write() {
        let functions = Box::leak(Box::new(MaybeUninit::<JNINativeInterface_>::zeroed()));
        let of_vm = Box::leak(Box::new(MaybeUninit::<JNIInvokeInterface_>::zeroed()));
        // SAFETY: only these functions are used.
        unsafe {
            let functions = functions.as_mut_ptr();
            (*functions).v1_6.NewByteArray = new_byte_array;
            (*functions).v1_6.SetByteArrayRegion = fill;
            (*functions).v1_6.CallVoidMethodA = accept;
            (*functions).v1_6.ExceptionClear = clear;
            (*functions).v1_6.NewGlobalRef = reference;
            (*functions).v1_6.DeleteGlobalRef = forget;
            (*functions).v1_6.DeleteLocalRef = forget;
            (*of_vm.as_mut_ptr()).v1_4.GetEnv = get_env;
            let env: &'static mut JNIEnv = Box::leak(Box::new(functions.cast_const()));
            ENV.store(std::ptr::from_mut(env) as usize, Ordering::Relaxed);
            let vm = Box::leak(Box::new(of_vm.as_ptr()));
            let (thread, none) = (null_mut(), null_mut());
            let java = Java { vm, thread, current_thread: none, is_interrupted: none, accept: none };
            assert!(JAVA.set(java).is_ok());

            let consumer = Consumer::new(env, std::ptr::dangling_mut());
            let passed_on = |act: &dyn Fn()| {
                act();
                std::mem::take(&mut *PASSED_ON.lock().unwrap())
            };
            assert_eq!(passed_on(&|| consumer.keep(b"record")), [true]);
            assert_eq!(passed_on(&|| consumer.write()), [false]);
            assert_eq!(passed_on(&|| consumer.accept(b"answer")), [true]);
            HAS_MEMORY.store(false, Ordering::Relaxed);
            assert_eq!(passed_on(&|| consumer.keep(b"record")), [false; 0]);
            assert_eq!(passed_on(&|| consumer.accept(b"answer")), [false]);
        }
    }
}
