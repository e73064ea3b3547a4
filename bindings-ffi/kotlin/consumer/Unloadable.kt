import com.proxymesh.*

/** Runs where the native library cannot be loaded. Every entry point must say so each time, with the fix that the argument names. */
fun main(arguments: Array<String>) {
    val ways = listOf<() -> Unit>(
        { ProxyServer("us-ca.proxymesh.com") }, { ExitChoice(country = "DE") }, { BlockingClient("parent", "parent-password") },
        { Client("parent", "parent-password") }, { BlockingClient.builder().build() },
    )
    val texts = (ways + ways).map { way ->
        try {
            way()
            error("it was loaded")
        } catch (exception: ConfigException) {
            exception.message!!
        }
    }
    println(texts.first())
    check(texts.toSet().size == 1 && arguments.all { it in texts.first() })
}
