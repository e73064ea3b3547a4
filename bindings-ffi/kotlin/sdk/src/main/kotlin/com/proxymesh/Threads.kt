package com.proxymesh

import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodHandles
import java.lang.invoke.MethodType

/** `Thread.isVirtual`, which Java has since version 21. */
private val method: MethodHandle? = try {
    MethodHandles.publicLookup().findVirtual(Thread::class.java, "isVirtual", MethodType.methodType(Boolean::class.javaPrimitiveType))
} catch (_: NoSuchMethodException) {
    null
}

internal fun isVirtual(thread: Thread): Boolean = method != null && method.invokeExact(thread) as Boolean
