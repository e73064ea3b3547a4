package com.proxymesh.internal

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native

/**
 * Makes the threads of the native library stay attached to the JVM once they have reported an answer to it: to attach and detach one
 * costs a call more than all the rest of its way back. They are daemons, which no JVM waits for.
 */
public fun keepThreadsAttached() {
    Native.setCallbackThreadInitializer(
        uniffiRustFutureContinuationCallbackImpl,
        CallbackThreadInitializer(true, false, "proxymesh"),
    )
}
