package io.barrage.gateway.clients;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.util.List;
import java.util.regex.Pattern;

/** The listener for clients. Immutable. */
public record ClientsConfig(
        @Setting(
                value = "0.0.0.0",
                doc = "Address that the listener for clients binds to. Everything else than `0.0.0.0` and `::`"
                        + " is for hosts with several addresses.",
                restart = true)
        String host,

        @Setting(
                value = "8080",
                min = "0",
                max = "65535",
                doc = "Its port; 0 takes a free one, and the log says which.",
                restart = true)
        int port,

        @Setting(
                doc = "Origins of the pages that may connect from a browser, such as `https://live.example`, or `*`"
                        + " for all. Without any: pages of the gateway's own host; in the development profile all."
                        + " Clients that are no browsers send no origin and aren't concerned.",
                pattern = ClientsConfig.ORIGIN_PATTERN)
        List<String> origins,

        @Setting(
                value = "true",
                doc = "Whether permessage-deflate is negotiated with clients that offer it. A frame is compressed once"
                        + " for all of them, and only where it pays: `messages` frames and long messages.")
        boolean compression,

        @Setting(
                doc =
                        "Proxies and load balancers in front, as addresses or blocks of them such as `10.0.0.0/8`. Of a request"
                                + " that comes from one, the client's address is the last in `proxyHeader` that isn't one of them;"
                                + " logs, lists and limits then have that. Without any: the peer's.",
                pattern = "[0-9a-fA-F.:]+(?:/[0-9]{1,3})?")
        List<String> trustedProxies,

        @Setting(
                value = "x-forwarded-for",
                doc = "The header field in which they say whom a request comes from. Every trusted proxy must write it;"
                        + " the other one is ignored.")
        ForwardedHeader proxyHeader)
        implements Checked {

    private static final String ORIGIN_PATTERN = "\\*|https?://[^/?#@\\s*]+";

    private static final Pattern ORIGIN = Pattern.compile(ORIGIN_PATTERN);

    public ClientsConfig {
        origins = List.copyOf(origins);
        trustedProxies = List.copyOf(trustedProxies);
    }

    @Override
    public void check(Contradictions found) {
        if (host.isBlank()) {
            found.add("must not be empty; 0.0.0.0 means every address", "host");
        }
        for (int i = 0; i < origins.size(); i++) {
            if (!ORIGIN.matcher(origins.get(i)).matches()) {
                found.add(
                        "expected an origin as browsers send it, such as https://live.example (no path, no slash at the"
                                + " end), or \"*\"; found \"" + origins.get(i) + '"',
                        "origins[" + i + "]");
            }
        }
        for (int i = 0; i < trustedProxies.size(); i++) {
            try {
                AddressBlock.parse(trustedProxies.get(i));
            } catch (IllegalArgumentException e) {
                found.add(
                        "expected an address or a block of addresses, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32; found \""
                                + trustedProxies.get(i) + '"',
                        "trustedProxies[" + i + "]");
            }
        }
    }
}
