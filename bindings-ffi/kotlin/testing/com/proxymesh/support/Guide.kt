package com.proxymesh.support

import java.io.File
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue

/** Asserts that the code blocks in a section of `docs/jvm.md` are the code in these files, which the tests compile and run. */
fun assertGuideShows(section: String, vararg files: String) {
    val guide = File("../../../docs/jvm.md").readText().substringAfter("\n## $section\n").substringBefore("\n## ")
    val blocks = Regex("```(kotlin|java)\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(guide).map { stripped(it.groupValues[2]) }.toList()
    assertFalse(blocks.isEmpty())
    val code = files.joinToString("\n") { stripped(File("src/test/kotlin/$it").readText()) }
    for (block in blocks) assertTrue(block in code, block)
}

private fun stripped(code: String) = code.lines().map(String::trim).filter(String::isNotEmpty).joinToString("\n")
