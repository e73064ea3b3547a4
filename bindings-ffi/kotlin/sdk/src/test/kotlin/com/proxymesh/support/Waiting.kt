package com.proxymesh.support

import kotlinx.coroutines.delay

/** More milliseconds than anything here takes. */
const val PATIENCE = 20_000L

/** Waits until `holds` returns true. */
suspend fun until(what: String, holds: () -> Boolean) {
    val end = System.nanoTime() + PATIENCE * 1_000_000
    while (!holds()) {
        check(System.nanoTime() < end) { "timed out before this was true: $what" }
        delay(1)
    }
}
