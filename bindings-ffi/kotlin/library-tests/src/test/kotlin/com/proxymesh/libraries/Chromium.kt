package com.proxymesh.libraries

import java.io.File
import org.junit.jupiter.api.Assumptions.assumeTrue

/** The flags with which the tests start Chromium. */
internal val FLAGS = listOf(
    "--no-sandbox", // Chromium needs this when it runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    // These stop Chromium's own requests, which would go through the proxy too.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The site's certificate was made by the tests.
    "--ignore-certificate-errors",
)

/** The first of these programs that is installed. Without one, the test is skipped. */
internal fun installed(vararg names: String): File {
    val folders = System.getenv("PATH").orEmpty().split(File.pathSeparator)
    val found = names.firstNotNullOfOrNull { name -> folders.map { File(it, name) }.firstOrNull(File::canExecute) }
    assumeTrue(found != null, "there is no ${names.first()} here: run ./bootstrap.sh tests")
    return found!!
}

internal fun chromium(): File = installed("chromium", "chromium-browser", "google-chrome")
