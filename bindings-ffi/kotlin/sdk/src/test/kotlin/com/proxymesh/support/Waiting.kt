package com.proxymesh.support

import kotlinx.coroutines.delay

/** Longer than anything here takes. */
const val PATIENCE = 20_000L

/** Waits until it is so. */
suspend fun until(what: String, holds: () -> Boolean) {
    val end = System.nanoTime() + PATIENCE * 1_000_000
    while (!holds()) {
        check(System.nanoTime() < end) { "in vain: $what" }
        delay(1)
    }
}
