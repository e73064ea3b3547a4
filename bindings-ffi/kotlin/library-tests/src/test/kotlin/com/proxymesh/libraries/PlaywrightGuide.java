package com.proxymesh.libraries;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.options.Proxy;
import com.proxymesh.ProxyServer;

/** The code of the guide. */
final class PlaywrightGuide {
    static Browser.NewContextOptions withPassword(ProxyServer proxy, String username, String password) {
        var address = proxy.getAddress();
        var settings = new Proxy("http://" + address.getHostString() + ":" + address.getPort())
            .setUsername(username)
            .setPassword(password); // neither is needed from an authorised IP
        var options = new Browser.NewContextOptions().setProxy(settings);
        return options;
    }

    private PlaywrightGuide() {}
}
