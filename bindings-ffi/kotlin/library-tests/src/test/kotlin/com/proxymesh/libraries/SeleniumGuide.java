package com.proxymesh.libraries;

import com.proxymesh.ProxyServer;
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
        try (var network = new Network(driver)) {
            var intercept = network.addIntercept(new AddInterceptParameters(InterceptPhase.AUTH_REQUIRED));
            network.onAuthRequired(asked -> network.continueWithAuth(asked.getRequest().getRequestId(), login));
            new BrowsingContext(driver, driver.getWindowHandle()).navigate(page, ReadinessState.COMPLETE);
            network.removeIntercept(intercept); // otherwise, a site could ask for the password
        }
    }

    private SeleniumGuide() {}
}
