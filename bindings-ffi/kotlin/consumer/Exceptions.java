import com.proxymesh.*;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Creates every exception, as a user's own tests would. */
final class Exceptions {
    public static void main(String[] arguments) {
        var refusal = new Refusal("ips.add", 400, "invalid", Map.of("ip", List.of("taken")), "{}", Duration.ofSeconds(7), 2);
        var brief = new Refusal("ips.add", 429, "slow down");
        List<ProxyMeshException> made = List.of(
            new ConfigException("no credentials", "no credentials"),
            new ValidationException("label: too long", "label", "too long"),
            new BasicAuthRequiredException("tokens.list takes no token", "tokens.list"),
            new AuthenticationBlockedException("ips.list: held back", "ips.list", Duration.ofMinutes(5)),
            new AuthenticationException("text", brief), new BadRequestException("text", refusal),
            new PlanLimitException("text", brief), new PermissionDeniedException("text", brief),
            new NotFoundException("text", brief), new RateLimitedException("text", brief),
            new ServerException("text", brief), new UnexpectedStatusException("text", brief),
            new CallTimeoutException("text", "geo.open", "no answer within 30 s", 3),
            new ConnectionException("text", "geo.open", "refused", 3),
            new DecodeException("text", "geo.open", 200, "no JSON", "<html>"),
            new OutcomeUnknownException("text", "tokens.create", "no answer", "list the tokens"),
            new PoolExhaustedException("text", "all are cooling down", Duration.ofSeconds(7)),
            new InternalException("text"));
        if (made.stream().map(Object::getClass).distinct().count() != 18 || brief.getAttempts() != 1
            || !((BadRequestException) made.get(5)).getFieldErrors().get("ip").equals(List.of("taken"))) {
            throw new AssertionError(made);
        }
        System.out.println("made " + made.size() + " exceptions");
    }
}
