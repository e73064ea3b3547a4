package com.proxymesh.testing

import com.proxymesh.internal.programPlatform
import com.proxymesh.internal.unpackProgram
import java.nio.file.Path

/** The sandbox's program: the one of the system property `proxymesh.sandbox`, or else the one in this jar. */
internal fun program(): Path = System.getProperty("proxymesh.sandbox")?.let { Path.of(it).toAbsolutePath() } ?: unpacked

private val unpacked: Path by lazy {
    val name = if (System.getProperty("os.name").startsWith("Windows")) "proxymesh-sandbox.exe" else "proxymesh-sandbox"
    val platform = programPlatform()
    val program = Sandbox::class.java.getResourceAsStream("/META-INF/com.proxymesh/sandbox/$platform/$name")?.use { it.readAllBytes() }
    checkNotNull(program) {
        "the proxymesh-testing jar has no sandbox for $platform: set the system property proxymesh.sandbox to the program"
    }
    unpackProgram(program, name)
}
