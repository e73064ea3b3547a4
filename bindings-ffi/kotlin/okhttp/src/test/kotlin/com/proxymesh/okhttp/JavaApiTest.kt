package com.proxymesh.okhttp

import com.proxymesh.support.assertIsForJava
import org.junit.jupiter.api.Test

class JavaApiTest {
    @Test
    fun `no signature for Java has a type of Kotlin`() {
        assertIsForJava(Class.forName("com.proxymesh.okhttp.ProxyMeshOkHttp"))
    }
}
