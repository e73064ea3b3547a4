package com.proxymesh.libraries;

import com.proxymesh.ProxyServer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openqa.selenium.Proxy;
import org.openqa.selenium.UsernameAndPassword;
import org.openqa.selenium.bidi.browsingcontext.BrowsingContext;
import org.openqa.selenium.bidi.browsingcontext.ReadinessState;
import org.openqa.selenium.bidi.module.Network;
import org.openqa.selenium.bidi.network.AddInterceptParameters;
import org.openqa.selenium.bidi.network.InterceptPhase;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.remote.RemoteWebDriver;

/** The code of the guide. */
final class SeleniumGuide {
    static void use(ChromeOptions options, ProxyServer proxy) {
        var address = proxy.getAddress().getHostString() + ":" + proxy.getPort();
        options.setProxy(new Proxy().setHttpProxy(address).setSslProxy(address));
    }

    static void logIn(RemoteWebDriver driver, String username, String password, String page) {
        var login = new UsernameAndPassword(username, password);
        var answered = new AtomicBoolean();
        try (var network = new Network(driver)) {
            var intercept = network.addIntercept(new AddInterceptParameters(InterceptPhase.AUTH_REQUIRED));
            network.onAuthRequired(asked -> {
                var request = asked.getRequest().getRequestId();
                if (answered.compareAndSet(false, true)) network.continueWithAuth(request, login); // the proxy asks first
                else network.cancelAuth(request); // a site asks, or the proxy has refused the password
            });
            try {
                new BrowsingContext(driver, driver.getWindowHandle()).navigate(page, ReadinessState.COMPLETE);
            } finally {
                network.removeIntercept(intercept);
            }
        }
    }

    private SeleniumGuide() {}
}
