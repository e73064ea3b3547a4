package com.proxymesh.internal

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.ref.Reference

/**
 * Loads the native library. Where it fails it can be called again: the library is opened before a generated class needs it, because a
 * class that has failed to initialise never does.
 */
public fun loadLibrary() {
    val name = System.getProperty("uniffi.component.proxymesh.libraryOverride") ?: "proxymesh_ffi"
    val library = NativeLibrary.getInstance(name, UniffiLib::class.java.classLoader)
    // It compares the library with the generated code, which nothing else does.
    uniffiEnsureInitialized()
    keepThreadsAttached()
    // It starts a thread, which no client should have to.
    UniffiLib.CLEANER
    Reference.reachabilityFence(library)
}

/**
 * Makes the threads of the native library stay attached to the JVM once they have reported an answer to it: to attach and detach one
 * costs a call more than all the rest of its way back. They are daemons, which no JVM waits for.
 */
private fun keepThreadsAttached() {
    Native.setCallbackThreadInitializer(
        uniffiRustFutureContinuationCallbackImpl,
        CallbackThreadInitializer(true, false, "proxymesh"),
    )
}
