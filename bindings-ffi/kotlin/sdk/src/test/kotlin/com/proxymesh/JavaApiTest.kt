package com.proxymesh

import com.proxymesh.support.assertIsForJava
import com.proxymesh.support.signaturesOfKotlin
import kotlin.time.Duration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class JavaApiTest {
    @Test
    fun `no signature for Java has a type of Kotlin`() {
        assertIsForJava(BlockingClient::class.java)
    }

    @Test
    fun `types of Kotlin are found wherever they are`() {
        val found = signaturesOfKotlin(Wrong::class.java).sorted()
        val wrong = "com.proxymesh.JavaApiTest\$Wrong"
        assertEquals(
            listOf(
                "public $wrong(java.util.List<? extends kotlin.sequences.Sequence<java.lang.String>>)",
                "public final java.util.Map<java.lang.String, kotlin.Unit> $wrong.result()",
                "public final kotlin.Lazy<java.lang.String> $wrong.field",
                "public final void $wrong.function(kotlin.jvm.functions.Function0<java.lang.String>)",
            ),
            found,
        )
    }

    @Suppress("unused", "UNUSED_PARAMETER")
    class Wrong(list: List<Sequence<String>>) {
        @JvmField val field: Lazy<String>? = null

        fun function(block: () -> String) = Unit

        fun result(): Map<String, Unit> = emptyMap()

        internal fun hidden(block: (String, String) -> String) = Unit

        internal val alsoHidden: Sequence<String> get() = emptySequence()

        suspend fun suspending() = Unit

        fun mangled(time: Duration) = Unit
    }
}
