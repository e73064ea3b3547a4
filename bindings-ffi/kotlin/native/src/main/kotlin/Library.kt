package com.proxymesh.internal

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.ref.Reference

/**
 * Loads the native library. If this fails, it can be called again. It opens the library before a generated class needs it, because a
 * class whose initialisation has failed is never initialised again.
 */
public fun loadLibrary() {
    val name = System.getProperty("uniffi.component.proxymesh.libraryOverride") ?: "proxymesh_ffi"
    val library = NativeLibrary.getInstance(name, UniffiLib::class.java.classLoader)
    // This compares the library with the generated code. Nothing else does.
    uniffiEnsureInitialized()
    keepThreadsAttached()
    // This starts a thread now, so that no client has to start it.
    UniffiLib.CLEANER
    Reference.reachabilityFence(library)
}

/**
 * Keeps a thread of the native library attached to the JVM after it has reported a response. Attaching and detaching it for each call
 * would take longer than everything else that happens to a response. The threads are daemons, so the JVM does not wait for them.
 */
private fun keepThreadsAttached() {
    Native.setCallbackThreadInitializer(
        uniffiRustFutureContinuationCallbackImpl,
        CallbackThreadInitializer(true, false, "proxymesh"),
    )
}
