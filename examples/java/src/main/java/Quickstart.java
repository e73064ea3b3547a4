import com.proxymesh.AsyncClient;
import com.proxymesh.BlockingClient;
import com.proxymesh.NotFoundException;
import com.proxymesh.SubAccountFields;
import com.proxymesh.ValidationException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The main tasks, end to end: list the proxies, authorise an IP, manage a sub-account.
 *
 * <p>With PROXYMESH_SANDBOX set to the URL of a sandbox, which emulates the service, it needs no account. {@code make
 * demo-kotlin} does this. With PROXYMESH_USERNAME and PROXYMESH_PASSWORD set, it talks to the real service and only reads.
 */
public final class Quickstart {
    private Quickstart() {}

    /** Prints what the account has. It only reads. */
    static void lookAround(BlockingClient client, String username, String password) {
        System.out.println("\nThe proxies that this account may use, as URLs for any HTTP library:");
        for (var proxy : client.getProxies().list()) {
            System.out.printf("  %-10s %s%n", proxy.getName(), proxy.url(username, password));
        }

        System.out.println("\nIPs that may use them without a password:");
        var entries = client.getIps().labels();
        if (entries.isEmpty()) {
            System.out.println("  none yet");
        }
        for (var entry : entries) {
            System.out.printf("  %-15s %s%n", entry.getIp(), entry.getLabel().isEmpty() ? "(no label)" : entry.getLabel());
        }

        var countries = client.getGeo().world();
        var most = countries.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(3)
                .map(Map.Entry::getKey)
                .collect(Collectors.joining(", "));
        System.out.printf("%nThe world proxy has exits in %d countries. %s have the most.%n", countries.size(), most);
    }

    /** Adds an IP and a sub-account, and deletes them again. */
    static void manage(BlockingClient client) {
        System.out.println("\nAuthorising 203.0.113.7, so that a machine there needs no password ...");
        var ip = client.getIps().add("203.0.113.7", "the office");
        var labels = client.getIps().labels();
        System.out.printf("  done: %s is '%s'%n", ip, labels.get(0).getLabel());

        System.out.println("\nCreating the sub-account crawler-1, limited to 5 GB a month ...");
        var fields = new SubAccountFields().password("correct horse battery").monthlyLimit(5);
        var made = client.getSubAccounts().create("crawler-1", fields);
        System.out.println("  done: " + made);

        var account = client.getSubAccounts().get("crawler-1");
        System.out.printf(
                "  it has used %s of %s GB this month%n",
                account.getMonthlyBandwidth(), account.getMonthlyBandwidthLimit());
        System.out.println("  deactivated: active is now " + client.getSubAccounts().deactivate("crawler-1").isActive());

        client.getSubAccounts().delete("crawler-1");
        client.getIps().delete(ip);
        System.out.println("  deleted the sub-account and the IP again");
    }

    /** Shows two errors. Each has a message to read and fields to act on. */
    static void beRefused(BlockingClient client) {
        System.out.println("\nBad input is refused before anything is sent:");
        try {
            client.getIps().add("203.0.113.777");
        } catch (ValidationException error) {
            System.out.printf("  %s%n  (field: %s)%n", error, error.getField());
        }

        System.out.println("\nIf the service refuses a call, the error says why:");
        try {
            client.getSubAccounts().get("nobody");
        } catch (NotFoundException error) {
            System.out.printf("  %s%n  (status: %d, attempts: %d)%n", error, error.getStatus(), error.getAttempts());
        }
    }

    /** Makes two calls at the same time, each with a time limit of five seconds. */
    static void askAtTheSameTime(AsyncClient client) {
        System.out.println("\nTwo calls at the same time:");
        var open = client.getGeo().open().orTimeout(5, TimeUnit.SECONDS);
        var world = client.getGeo().world().orTimeout(5, TimeUnit.SECONDS);
        var text = open.thenCombine(world, (a, b) -> a.size() + " countries with open, " + b.size() + " with world");
        System.out.println("  " + text.join());
    }

    /** Uses the sandbox if there is one, otherwise the real service. */
    public static void main(String[] arguments) {
        var sandbox = System.getenv("PROXYMESH_SANDBOX");
        if (sandbox == null) {
            System.out.println("Reading from the real service.");
            try (var client = new BlockingClient()) {
                lookAround(client, System.getenv("PROXYMESH_USERNAME"), "YOUR-PASSWORD");
            }
            return;
        }
        var builder = BlockingClient.builder().username("parent").password("parent-password").baseUrl(sandbox);
        try (var client = builder.build()) {
            System.out.println("This talks to a sandbox at " + client.getBaseUrl() + ".");
            lookAround(client, "parent", "parent-password");
            manage(client);
            beRefused(client);
        }
        var asyncBuilder = AsyncClient.builder().username("parent").password("parent-password").baseUrl(sandbox);
        try (var client = asyncBuilder.build()) {
            askAtTheSameTime(client);
        }
        System.out.println("\nThat was all. Set PROXYMESH_USERNAME and PROXYMESH_PASSWORD to see your own account.");
    }
}
