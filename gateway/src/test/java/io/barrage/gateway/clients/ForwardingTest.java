package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ForwardingTest {
    private static final String PROXY = "10.0.0.1";

    private static InetAddress ip(String text) {
        return Objects.requireNonNull(AddressBlock.address(text), text);
    }

    private static String client(String yaml, String peer, String... fields) {
        HttpHeaders headers = new DefaultHttpHeaders();
        for (int i = 0; i < fields.length; i += 2) {
            headers.add(fields[i], fields[i + 1]);
        }
        Forwarding forwarding = Forwarding.of(ConfigReader.parse(ClientsConfig.class, yaml));
        InetSocketAddress found = (InetSocketAddress) forwarding.client(new InetSocketAddress(ip(peer), 4711), headers);
        return NetUtil.toSocketAddressString(found);
    }

    private static String forwarded(String... values) {
        String[] fields = new String[values.length * 2];
        for (int i = 0; i < values.length; i++) {
            fields[2 * i] = "X-Forwarded-For";
            fields[2 * i + 1] = values[i];
        }
        return client("trustedProxies: [10.0.0.0/8, \"2001:db8::/32\", 127.0.0.1]", PROXY, fields);
    }

    @Test
    void believesNobodyUnlessTold() throws Exception {
        assertEquals("10.0.0.1:4711", client("{}", PROXY, "X-Forwarded-For", "203.0.113.7"));
        assertEquals(
                "203.0.113.9:4711",
                client("trustedProxies: [10.0.0.0/8]", "203.0.113.9", "X-Forwarded-For", "198.51.100.1"));
    }

    @Test
    void takesThePeersAddressAsItIsUnlessThatHasMoreThanItsBytes() throws Exception {
        HttpHeaders none = new DefaultHttpHeaders();
        for (String ip : new String[] {PROXY, "2a00::1"}) {
            InetSocketAddress peer = new InetSocketAddress(ip(ip), 4711);
            assertSame(peer, Forwarding.NONE.client(peer, none));
        }
        byte[] local = ip("fe80::1").getAddress();
        InetSocketAddress scoped = new InetSocketAddress(Inet6Address.getByAddress(null, local, 2), 4711);
        assertEquals(new InetSocketAddress(ip("fe80::1"), 4711).toString(), "" + Forwarding.NONE.client(scoped, none));
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = (byte) 0xff;
        System.arraycopy(ip(PROXY).getAddress(), 0, mapped, 12, 4);
        InetSocketAddress written = new InetSocketAddress(Inet6Address.getByAddress(null, mapped, -1), 4711);
        assertEquals(new InetSocketAddress(ip(PROXY), 4711), Forwarding.NONE.client(written, none));
    }

    @Test
    void readsWhatTheProxyHasWritten() throws Exception {
        assertEquals("203.0.113.7:0", forwarded("203.0.113.7"));
        assertEquals("203.0.113.7:5000", forwarded("203.0.113.7:5000"));
        assertEquals("10.0.0.1:4711", forwarded());
        assertEquals("[2a00::1]:0", forwarded("2a00::1"));
        assertEquals("[2a00::1]:5000", forwarded("[2a00::1]:5000"));
        assertEquals("203.0.113.7:0", forwarded("::ffff:203.0.113.7"));
    }

    @Test
    void takesTheLastThatIsNoProxyWhateverStandsBeforeIt() throws Exception {
        assertEquals("203.0.113.7:0", forwarded("127.0.0.1, 198.51.100.1, 203.0.113.7"));
        assertEquals("203.0.113.7:0", forwarded("198.51.100.1", "203.0.113.7"));
        assertEquals("203.0.113.7:0", forwarded("198.51.100.1, 203.0.113.7, 10.2.3.4, 2001:db8::5"));
        assertEquals("203.0.113.7:0", forwarded("198.51.100.1, 203.0.113.7", "10.2.3.4", "127.0.0.1"));
        assertEquals("10.9.9.9:0", forwarded("10.9.9.9, 10.2.3.4"));
    }

    @Test
    void stopsAtWhatItDoesNotUnderstand() throws Exception {
        assertEquals("10.2.3.4:0", forwarded("203.0.113.7, unknown, 10.2.3.4"));
        assertEquals("10.0.0.1:4711", forwarded("203.0.113.7, "));
        assertEquals("10.0.0.1:4711", forwarded("203.0.113.7, a.example"));
        assertEquals("10.0.0.1:4711", forwarded("203.0.113.7, 1.2.3.4:99999"));
        assertEquals("10.0.0.1:4711", forwarded("203.0.113.7, " + ":".repeat(8000)));
        assertEquals("10.0.0.1:4711", forwarded("203.0.113.7, 999.1.1.1"));
    }

    @Test
    void readsRfc7239WhereToldTo() throws Exception {
        String yaml = "{trustedProxies: [10.0.0.0/8], proxyHeader: forwarded}";
        assertEquals(
                "203.0.113.7:0",
                client(yaml, PROXY, "Forwarded", "for=198.51.100.1, For=203.0.113.7;proto=https;by=10.0.0.1"));
        assertEquals("[2a00::1]:4711", client(yaml, PROXY, "Forwarded", "proto=https; for=\"[2a00::1]:4711\""));
        assertEquals("10.0.0.1:4711", client(yaml, PROXY, "Forwarded", "for=203.0.113.7, for=_hidden"));
        assertEquals("10.0.0.1:4711", client(yaml, PROXY, "Forwarded", "for=203.0.113.7, proto=https"));
        // Through a proxy that writes only the one field, the other is the client's own words.
        assertEquals("10.0.0.1:4711", client(yaml, PROXY, "X-Forwarded-For", "198.51.100.1"));
        assertEquals("10.0.0.1:4711", client("trustedProxies: [10.0.0.0/8]", PROXY, "Forwarded", "for=198.51.100.1"));
    }

    @Test
    void blocksAreWhatTheyAre() throws Exception {
        AddressBlock block = AddressBlock.parse("10.128.0.0/9");
        assertTrue(block.contains(ip("10.200.1.1")));
        assertTrue(!block.contains(ip("10.1.1.1")));
        assertTrue(!block.contains(ip("::1")));
        assertTrue(AddressBlock.parse("0.0.0.0/0").contains(ip("1.2.3.4")));
        for (String wrong : new String[] {"", "10.0.0.0/33", "a.example", "10.0.0/8/8", "::/129", "/8", "10.0.0.0/"}) {
            assertThrows(IllegalArgumentException.class, () -> AddressBlock.parse(wrong), wrong);
        }
        IllegalArgumentException told = assertThrows(
                IllegalArgumentException.class,
                () -> ConfigReader.parse(ClientsConfig.class, "trustedProxies: [10.0.0.0/8, lb.internal]"));
        assertTrue(
                told.getMessage().contains("trustedProxies[1]: expected an address or a block of addresses"),
                told.getMessage());
    }
}
