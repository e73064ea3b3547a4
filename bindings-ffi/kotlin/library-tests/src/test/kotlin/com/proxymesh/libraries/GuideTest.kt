package com.proxymesh.libraries

import com.proxymesh.support.assertGuideShows
import org.junit.jupiter.api.Test

/** The code in `docs/jvm.md`. */
class GuideTest {
    @Test
    fun `the guide shows the code that is tested here`() {
        val folder = "com/proxymesh/libraries"
        assertGuideShows("Ktor", "$folder/KtorGuide.kt")
        assertGuideShows("jsoup", "$folder/JsoupGuide.java")
        assertGuideShows("Browsers", "$folder/PlaywrightGuide.java", "$folder/SeleniumGuide.java")
    }
}
