//! Near misses: which choices a mistyped word may have meant, with the similarity the CLI uses.

/// How many suggestions there are at most.
const MOST: usize = 3;
/// The least similarity of a suggestion.
const CUTOFF: f64 = 0.8;

/// The choices most similar to `word`, best first.
pub(super) fn close_matches<'a>(word: &str, choices: &[&'a str]) -> Vec<&'a str> {
    let word: Vec<char> = word.chars().collect();
    let mut scored: Vec<(f64, &str)> = choices
        .iter()
        .map(|choice| (similarity(&choice.chars().collect::<Vec<_>>(), &word), *choice))
        .filter(|(score, _)| *score >= CUTOFF)
        .collect();
    // Equal scores go by the later name first, as the largest pairs do in the original.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.cmp(a.1)));
    scored.into_iter().take(MOST).map(|(_, choice)| choice).collect()
}

/// Twice the number of characters in matching blocks over the number of all characters.
fn similarity(a: &[char], b: &[char]) -> f64 {
    let total = a.len() + b.len();
    if total == 0 { 1.0 } else { 2.0 * matching(a, b) as f64 / total as f64 }
}

/// Characters in the longest common block, and in those left and right of it.
fn matching(a: &[char], b: &[char]) -> usize {
    let (mut best, mut at_a, mut at_b) = (0, 0, 0);
    // Lengths of common blocks that end at the previous character of `a`, by their end in `b`.
    let mut before = vec![0usize; b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        let mut now = vec![0usize; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            if x == y {
                let length = before[j] + 1;
                now[j + 1] = length;
                if length > best {
                    (best, at_a, at_b) = (length, i + 1 - length, j + 1 - length);
                }
            }
        }
        before = now;
    }
    if best == 0 {
        return 0;
    }
    best + matching(&a[..at_a], &b[..at_b]) + matching(&a[at_a + best..], &b[at_b + best..])
}

#[cfg(test)]
mod tests {
    use super::close_matches;

    #[test]
    fn near_misses() {
        let choices = ["describe-limits", "describe-stream", "describe-stream-consumer", "describe-stream-summary", "list-streams", "help"];
        assert_eq!(close_matches("descibe-stream", &choices), ["describe-stream"]);
        assert_eq!(close_matches("describe-streams", &choices), ["describe-stream", "describe-stream-summary", "describe-stream-consumer"]);
        assert!(close_matches("xyzzy", &choices).is_empty());
        assert_eq!(close_matches("", &[""]), [""]);
    }
}
