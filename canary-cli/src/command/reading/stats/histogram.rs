//! Bars in the terminal.

use canary_client::Bin;

use crate::output;

/// No line is wider, in characters.
const WIDTH: usize = 80;
/// Eighths of a character, the emptiest first.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// One line for each bin: where it is, its bar, its count.
pub(super) fn text(bins: &[Bin]) -> String {
    let bounds: Vec<_> =
        bins.iter().map(|bin| [bin.minimum, bin.maximum].map(output::number)).collect();
    let counts: Vec<_> = bins.iter().map(|bin| bin.count.to_string()).collect();
    let widest =
        |texts: &mut dyn Iterator<Item = &String>| texts.map(String::len).max().unwrap_or(0);
    let low = widest(&mut bounds.iter().map(|[low, _]| low));
    let high = widest(&mut bounds.iter().map(|[_, high]| high));
    let count = widest(&mut counts.iter());
    let room = WIDTH.saturating_sub(low + " to ".len() + high + "  ".len() + " ".len() + count);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    let lines = bins.iter().zip(bounds).map(|(bin, [from, to])| {
        let bar = bar(bin.count, most, room);
        let gap = if bar.is_empty() { "" } else { " " };
        format!("{from:>low$} to {to:>high$}  {bar}{gap}{}", bin.count)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A bar that fills `room` characters for the `most`; what is not nothing has at least a trace.
fn bar(count: u64, most: u64, room: usize) -> String {
    if count == 0 || most == 0 {
        return String::new();
    }
    let eighths = (count as f64 / most as f64 * room as f64 * 8.0).round() as usize;
    let eighths = eighths.clamp(1, room * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).and_then(|rest| EIGHTHS.get(rest)));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(text: &str) -> Vec<Bin> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn bars_are_as_long_as_their_counts_say() {
        let cases = [
            (0, 10, 4, ""),
            (10, 10, 4, "████"),
            (5, 10, 4, "██"),
            (4, 10, 4, "█▋"),
            (1, 1_000_000, 4, "▏"),
            (0, 0, 4, ""),
            (u64::MAX, u64::MAX, 2, "██"),
        ];
        for (count, most, room, want) in cases {
            assert_eq!(bar(count, most, room), want, "{count} of {most}");
        }
    }

    #[test]
    fn lines_are_aligned_and_no_wider_than_a_screen() {
        let bins = bins(
            r#"[{"minimum":-12.345678901234,"maximum":0.1,"count":18446744073709551615},
            {"minimum":0.1,"maximum":1e300,"count":0},
            {"minimum":1e300,"maximum":-1.2345678901e-300,"count":7}]"#,
        );
        let text = text(&bins);
        insta::assert_snapshot!("wide_histogram", text);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }
}
