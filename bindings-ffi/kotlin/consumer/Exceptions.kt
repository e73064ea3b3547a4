import com.proxymesh.*
import java.time.Duration

/** Creates every exception, as a user's own tests would. */
fun main() {
    val refusal = Refusal("ips.add", 429, "slow down", retryAfter = Duration.ofSeconds(7), attempts = 3)
    val made: List<ProxyMeshException> = listOf(
        ConfigException("no credentials", reason = "no credentials"),
        ValidationException("label: too long", field = "label", reason = "too long"),
        BasicAuthRequiredException("tokens.list takes no token", call = "tokens.list"),
        AuthenticationBlockedException("ips.list: held back", call = "ips.list", retryAfter = Duration.ofMinutes(5)),
        AuthenticationException("text", refusal), BadRequestException("text", refusal), PlanLimitException("text", refusal),
        PermissionDeniedException("text", refusal), NotFoundException("text", refusal), RateLimitedException("text", refusal),
        ServerException("text", refusal), UnexpectedStatusException("text", refusal),
        CallTimeoutException("text", call = "geo.open", reason = "no answer within 30 s", attempts = 3),
        ConnectionException("text", call = "geo.open", reason = "refused", attempts = 3),
        DecodeException("text", call = "geo.open", status = 200, reason = "no JSON", body = "<html>"),
        OutcomeUnknownException("text", call = "tokens.create", reason = "no answer", recoveryHint = "list the tokens"),
        PoolExhaustedException("text", reason = "all are cooling down", retryAfter = Duration.ofSeconds(7)),
        InternalException("text"),
    )
    for (exception in made) {
        try {
            throw exception
        } catch (caught: StatusException) {
            check(caught.retryAfter == Duration.ofSeconds(7) && caught.attempts == 3 && caught.fieldErrors.isEmpty())
        } catch (caught: ProxyMeshException) {
            check(!caught.message.isNullOrEmpty())
        }
    }
    check(made.map { it::class }.toSet().size == 18)
    println("made ${made.size} exceptions")
}
