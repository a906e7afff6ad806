// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.util.Locale;

/** A start's timeline as a picture. */
public final class TimelineSvg {
    private static final int WIDTH = 1000;
    private static final int ROW = 22;
    private static final int LEFT = 280;
    private static final int TOP = 46;
    private static final int RIGHT = 70;
    private static final double LEAST_MILLIS = 0.5;
    private static final int TICKS = 5;

    private TimelineSvg() {}

    /**
     * The picture as an SVG document.
     *
     * @param title harmless in XML
     */
    public static String of(StartTimeline timeline, String title) {
        double scale = (WIDTH - LEFT - RIGHT) / Math.max(1, timeline.end());
        StringBuilder rows = new StringBuilder();
        int y = TOP;
        for (StartTimeline.Span span : timeline.spans()) {
            if (span.to() - span.from() >= LEAST_MILLIS) {
                row(rows, span, scale, y);
                y += ROW;
            }
        }
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">%n",
                WIDTH,
                y + ROW));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        svg.append(String.format(Locale.ROOT, "<text x=\"12\" y=\"22\" font-size=\"15\">%s</text>%n", title));
        for (int i = 0; i <= TICKS; i++) {
            double millis = timeline.end() * i / TICKS;
            double x = LEFT + millis * scale;
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>%n",
                    x,
                    TOP - 6,
                    x,
                    y));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#666\">%.0f ms</text>%n",
                    x,
                    y + 14,
                    millis));
        }
        return svg.append(rows).append("</svg>\n").toString();
    }

    private static void row(StringBuilder to, StartTimeline.Span span, double scale, int y) {
        double took = span.to() - span.from();
        double x = LEFT + span.from() * scale;
        double width = Math.max(1, took * scale);
        to.append(String.format(
                Locale.ROOT, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n", LEFT - 8, y + 14, span.step()));
        to.append(String.format(
                Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                x,
                y + 3,
                width,
                ROW - 6,
                color(span.lane())));
        to.append(String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%d\" fill=\"#333\">%.0f</text>%n", x + width + 4, y + 14, took));
    }

    private static String color(StartTimeline.Lane lane) {
        return switch (lane) {
            case HOST -> "#7a8fa6";
            case MONITOR -> "#e0a030";
            case GUEST -> "#4c9f70";
        };
    }
}
