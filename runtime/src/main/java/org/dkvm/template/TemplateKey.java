// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;

/**
 * What a template is of: two machines of one key are the same until somebody speaks to them.
 *
 * @param text 64 hexadecimal digits
 */
public record TemplateKey(String text) {
    private static final int DIGITS = 64;

    public TemplateKey {
        if (!isValid(text)) {
            throw new IllegalArgumentException("\"" + text + "\" is no key of a template");
        }
    }

    /** Whether a text is one. */
    public static boolean isValid(String text) {
        return text.length() == DIGITS
                && text.chars().allMatch(digit -> (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'));
    }

    /**
     * The key of a machine.
     *
     * @param command QEMU's command line
     * @param host what the host is, as far as the machine sees it
     * @param files what the machine is made of; known by the host's word on them, as their content would take long to read
     */
    public static TemplateKey of(List<String> command, String host, List<Path> files) throws DkvmException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String word : command) {
                add(digest, word);
            }
            add(digest, host);
            for (Path file : files) {
                add(digest, identity(file.toRealPath()));
            }
            return new TemplateKey(HexFormat.of().formatHex(digest.digest()));
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new DkvmException("can not tell which template fits: " + e, "", e);
        }
    }

    /** The file of that inode, unchanged since. */
    static String identity(Path file) throws IOException {
        Map<String, Object> about = Files.readAttributes(file, "unix:ino,ctime,size", LinkOption.NOFOLLOW_LINKS);
        return file.getFileName() + " " + about.get("ino") + " " + about.get("ctime") + " " + about.get("size");
    }

    private static void add(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }
}
