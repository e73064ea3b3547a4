package com.proxymesh.internal

import java.io.IOException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.FileSystems
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions
import java.security.MessageDigest

/** The file of the library to load, instead of the one in the jar. */
public const val LIBRARY_PROPERTY: String = "proxymesh.library"

/** The folder to unpack the library into. */
public const val FOLDER_PROPERTY: String = "proxymesh.library.folder"

/** Why the library cannot be loaded. */
public class LibraryException internal constructor(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * Loads the native library. If this fails, it can be called again.
 *
 * @throws LibraryException the library cannot be found or unpacked, or it is of another version.
 * @throws UnsatisfiedLinkError the system cannot load it.
 */
public fun loadLibrary() {
    val given = System.getProperty(LIBRARY_PROPERTY)
    when {
        given != null -> try {
            load(path(given).toAbsolutePath())
        } catch (error: IOException) {
            throw LibraryException("could not give it a second name, for another class loader: $error", error)
        }
        // An Android app installs the library, and the system finds it.
        System.getProperty("java.vendor") == "The Android Project" -> System.loadLibrary(NAME)
        else -> loadFromJar()
    }
    val version = try {
        Native.libraryVersion()
    } catch (error: UnsatisfiedLinkError) {
        throw LibraryException(relocation() ?: "it is not the native library of ProxyMesh", error)
    }
    if (version != VERSION) throw LibraryException("its version is $version, not $VERSION")
}

private const val NAME = "proxymesh_ffi"

/** What to say if a plugin that packs everything into one jar has renamed the classes. It would also rename a class's name in a string. */
private fun relocation(): String? {
    val found = Native::class.java.name.substringBeforeLast('.')
    if (found.split(".") == listOf("com", "proxymesh", "internal")) return null
    return "it needs the package that has been relocated to $found. Do not relocate com.proxymesh; its dependencies may be relocated"
}

/** Unpacks the library and loads it, in the first folder where that is possible. */
private fun loadFromJar() {
    val platform = libraryPlatform()
    val file = System.mapLibraryName(NAME)
    val library = try {
        Native::class.java.getResourceAsStream("/META-INF/com.proxymesh/native/$platform/$file")?.use { it.readBytes() }
    } catch (error: IOException) {
        throw LibraryException("could not read it from the proxymesh-native jar: $error", error)
    } ?: throw LibraryException("the proxymesh-native jar has no library for $platform")
    var failure: Throwable? = null
    for (folder in folders()) {
        try {
            return load(unpack(library, folder, file))
        } catch (error: IOException) {
            failure = failure ?: LibraryException("could not unpack it into ${folder.parent}: $error", error)
        } catch (error: UnsatisfiedLinkError) {
            // The message of the system's loader says more than a failure to unpack.
            failure = failure as? UnsatisfiedLinkError ?: error
        }
    }
    throw failure ?: LibraryException("neither the user's cache nor the folder for temporary files has an absolute path")
}

/**
 * Unpacks a program, in the first folder where that is possible, so that it can be executed.
 *
 * @throws IOException no folder will do.
 */
public fun unpackProgram(program: ByteArray, name: String): Path {
    var failure: IOException? = null
    for (folder in folders()) {
        try {
            val file = unpack(program, folder, name)
            if (file.toFile().setExecutable(true) && Files.isExecutable(file)) return file
            failure = failure ?: IOException("$file cannot be executed: is the folder mounted noexec?")
        } catch (error: IOException) {
            failure = failure ?: IOException("could not unpack it into ${folder.parent}: $error", error)
        }
    }
    throw failure ?: IOException("neither the user's cache nor the folder for temporary files has an absolute path")
}

/** The name of the platform's folder in the jar, for a program. A program for Linux is linked statically, and needs no libc. */
public fun programPlatform(): String = platform(System.getProperty("os.name"), System.getProperty("os.arch"), isMusl = false)

/** The same for a library. */
private fun libraryPlatform(): String {
    val maps = path("/proc/self/maps")
    return platform(System.getProperty("os.name"), System.getProperty("os.arch"), isMusl(maps))
}

/** The name of a platform's folder in the jar. */
public fun platform(os: String, architecture: String, isMusl: Boolean): String {
    val system = when {
        os.startsWith("Mac") -> "macos"
        os == "Linux" && isMusl -> "linux-musl"
        else -> os.substringBefore(' ').lowercase()
    }
    val machine = mapOf("amd64" to "x86_64", "arm64" to "aarch64")[architecture] ?: architecture
    return "$system-$machine"
}

/**
 * Whether this process runs with musl, as its mapped files show. The system's name or its files would not do, because a system can
 * have both musl and glibc.
 */
public fun isMusl(maps: Path): Boolean = try {
    // A path can have any bytes.
    maps.toFile().useLines(Charsets.ISO_8859_1) { lines -> lines.any(MUSL::containsMatchIn) }
} catch (_: IOException) {
    false // There is no such list on macOS and Windows.
}

/** The file of musl's libc, which is also its loader. That of glibc is libc.so.6, or libc-2.17.so. */
private val MUSL = Regex("""/(ld-musl-[^/]*|libc\.so)( \(deleted\))?$""")

/** `Path.of`, which Android has only since API level 34. */
private fun path(first: String, vararg more: String): Path = Paths.get(first, *more)

/** The folders to try: the user's cache, and then the one for temporary files. One of them may be mounted noexec. */
private fun folders(): List<Path> {
    val ofSystem = if (System.getProperty("os.name").startsWith("Mac")) "Library/Caches" else ".cache"
    // A relative path is ignored, as its specification says.
    val caches = System.getenv("XDG_CACHE_HOME")?.let { path(it) }?.takeIf(Path::isAbsolute) ?: path(System.getProperty("user.home"), ofSystem)
    val temporary = path(System.getProperty("java.io.tmpdir"))
    val given = System.getProperty(FOLDER_PROPERTY)
    // A user without a home has "?" as its path.
    val folders = if (given == null) listOf(caches, temporary).filter(Path::isAbsolute) else listOf(path(given).toAbsolutePath())
    return folders.map { it.resolve("proxymesh-${System.getProperty("user.name")}") }
}

/**
 * Writes the library into a folder, unless it is already there. The file's name contains a hash of its content, so versions do not get
 * into each other's way. Another user must not be able to replace it before it is loaded, so only this user may be able to write to the
 * folder.
 */
private fun unpack(library: ByteArray, folder: Path, name: String): Path {
    create(folder)
    val hash = MessageDigest.getInstance("SHA-256").digest(library).take(HASH_BYTES).joinToString("") { "%02x".format(it) }
    val file = folder.resolve("$hash-$name")
    if (Files.isRegularFile(file) && Files.readAllBytes(file).contentEquals(library)) return file
    val temporary = Files.createTempFile(folder, null, ".tmp")
    try {
        Files.write(temporary, library)
        // Other processes may be loading the old file, or writing the same one.
        Files.move(temporary, file, ATOMIC_MOVE)
    } finally {
        Files.deleteIfExists(temporary)
    }
    return file
}

private fun create(folder: Path) {
    if (!Files.isDirectory(folder)) {
        Files.createDirectories(folder.parent)
        try {
            Files.createDirectory(folder, *(if (hasPermissions) arrayOf(OWNER_ONLY) else emptyArray()))
        } catch (_: FileAlreadyExistsException) {
            // Another thread or process has just created it.
        }
    }
    // Its owner could let the link point to another folder after this check.
    if (Files.isSymbolicLink(folder)) throw IOException("$folder is a symbolic link")
    val probe = Files.createTempFile(folder, null, ".tmp")
    try {
        val mine = Files.getOwner(folder) == Files.getOwner(probe)
        val others = hasPermissions && Files.getPosixFilePermissions(folder).any { it in OTHERS_WRITE }
        if (!mine || others) throw IOException("other users can write to it")
    } finally {
        Files.delete(probe)
    }
}

private const val HASH_BYTES = 8

/** Windows has no such permissions. There, both folders are in the user's profile, which others cannot write to. */
private val hasPermissions = "posix" in FileSystems.getDefault().supportedFileAttributeViews()
private val OWNER_ONLY = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
private val OTHERS_WRITE = setOf(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE)

/**
 * Loads a file. A JVM loads a file for one class loader only. For another one, the file gets a second name, and both share the
 * library: one worker thread, and one count of failed authentications.
 */
private fun load(file: Path) {
    try {
        System.load(file.toString())
    } catch (error: UnsatisfiedLinkError) {
        if ("already loaded in another classloader" !in error.message.orEmpty()) throw error
        val other = Files.createTempDirectory(file.parent, "loader-")
        try {
            val name = Files.createLink(other.resolve(file.fileName), file)
            System.load(name.toString())
            Files.delete(name)
        } finally {
            Files.deleteIfExists(other.resolve(file.fileName))
            Files.deleteIfExists(other)
        }
    }
}
