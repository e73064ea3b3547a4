import com.proxymesh.*

/** Where the native library cannot be loaded: every way in says so, with the cure named in the arguments, each time. */
fun main(arguments: Array<String>) {
    val ways = listOf<() -> Unit>(
        { Proxy("us-ca.proxymesh.com") }, { ExitChoice(country = "DE") }, { BlockingClient("parent", "parent-password") },
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
