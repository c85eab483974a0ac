//! Random cut forest: robust anomaly scores on a stream (Guha, Mishra, Roy, Schrijvers 2016). Trees over time-decayed samples; a point's
//! score says how early random cuts would separate it from the rest. Seeded: the same points give the same scores.

use std::collections::BTreeMap;

/// A node of a tree; its box lies in the tree's arrays.
#[derive(Debug, Clone, Copy)]
enum Node {
    /// A point: its box is the point itself.
    Leaf {
        mass: usize,
    },
    /// A cut and what lies on its sides.
    Branch {
        dimension: usize,
        value: f64,
        left: usize,
        right: usize,
        mass: usize,
    },
    Free,
}

#[derive(Debug, Clone)]
struct Tree {
    nodes: Vec<Node>,
    /// Least and greatest corner of every node's box, `width` numbers each.
    low: Vec<f64>,
    high: Vec<f64>,
    width: usize,
    free: Vec<usize>,
    root: Option<usize>,
    random: u64,
    /// Sampled points by their decaying key, greatest key leaves first.
    sample: BTreeMap<(u64, u64), Box<[f64]>>,
}

/// The forest.
#[derive(Debug, Clone)]
pub struct Forest {
    trees: Vec<Tree>,
    sample: usize,
    decay: f64,
    shingle: usize,
    width: usize,
    recent: Vec<f64>,
    seen: u64,
}

/// Score of a point, and each column's part of it with its direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The score, 0 while the sample fills.
    pub score: f64,
    /// Per column: (part of the score from being too high, from being too low).
    pub parts: Vec<(f64, f64)>,
}

fn mix(x: u64) -> u64 {
    let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Tree {
    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((mix(self.random) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn new_node(&mut self, node: Node) -> usize {
        if let Some(at) = self.free.pop() {
            self.nodes[at] = node;
            return at;
        }
        self.nodes.push(node);
        self.low.resize(self.nodes.len() * self.width, 0.0);
        self.high.resize(self.nodes.len() * self.width, 0.0);
        self.nodes.len() - 1
    }

    fn new_leaf(&mut self, point: &[f64]) -> usize {
        let leaf = self.new_node(Node::Leaf { mass: 1 });
        let range = self.range(leaf);
        self.low[range.clone()].copy_from_slice(point);
        self.high[range].copy_from_slice(point);
        leaf
    }

    fn range(&self, at: usize) -> std::ops::Range<usize> {
        at * self.width..(at + 1) * self.width
    }

    fn mass(&self, at: usize) -> usize {
        match self.nodes[at] {
            Node::Leaf { mass } | Node::Branch { mass, .. } => mass,
            Node::Free => 0,
        }
    }

    fn insert(&mut self, point: &[f64]) {
        self.root = Some(match self.root {
            None => self.new_leaf(point),
            Some(root) => self.insert_at(root, point),
        });
    }

    /// Inserts below a node; gives the node that stands in its place.
    fn insert_at(&mut self, at: usize, point: &[f64]) -> usize {
        let range = self.range(at);
        if let Node::Leaf { mass } = &mut self.nodes[at]
            && self.low[range.clone()] == *point
        {
            *mass += 1;
            return at;
        }
        let (low, high) = (&self.low[range.clone()], &self.high[range.clone()]);
        let total: f64 = low.iter().zip(high).zip(point).map(|((low, high), x)| high.max(*x) - low.min(*x)).sum();
        let mut cut = self.draw() * total;
        let mut above = None;
        for (dimension, x) in point.iter().copied().enumerate() {
            let (low, high) = (self.low[range.start + dimension], self.high[range.start + dimension]);
            let (least, greatest) = (low.min(x), high.max(x));
            let width = greatest - least;
            if cut <= width && width > 0.0 {
                let value = least + cut;
                // A cut between the point and the box stands above the box.
                if x <= value && value < low {
                    above = Some((dimension, value, true));
                } else if high <= value && value < x {
                    above = Some((dimension, value, false));
                }
                break;
            }
            cut -= width;
        }
        if let Some((dimension, value, point_left)) = above {
            let mass = self.mass(at) + 1;
            let leaf = self.new_leaf(point);
            let (left, right) = if point_left { (leaf, at) } else { (at, leaf) };
            let branch = self.new_node(Node::Branch { dimension, value, left, right, mass });
            self.unite(branch, left, right);
            return branch;
        }
        if let Node::Branch { dimension, value, left, right, mass } = self.nodes[at] {
            let goes_left = point[dimension] <= value;
            let child = self.insert_at(if goes_left { left } else { right }, point);
            let (left, right) = if goes_left { (child, right) } else { (left, child) };
            self.nodes[at] = Node::Branch { dimension, value, left, right, mass: mass + 1 };
            self.unite(at, left, right);
        } else if let Node::Leaf { mass } = &mut self.nodes[at] {
            // Equal within rounding: it counts as the same point.
            *mass += 1;
        }
        at
    }

    /// The box of a branch is that of its sides together.
    fn unite(&mut self, at: usize, left: usize, right: usize) {
        for dimension in 0..self.width {
            let (to, a, b) = (at * self.width + dimension, left * self.width + dimension, right * self.width + dimension);
            self.low[to] = self.low[a].min(self.low[b]);
            self.high[to] = self.high[a].max(self.high[b]);
        }
    }

    fn remove(&mut self, point: &[f64]) {
        if let Some(root) = self.root {
            self.root = self.remove_at(root, point);
        }
    }

    fn remove_at(&mut self, at: usize, point: &[f64]) -> Option<usize> {
        match self.nodes[at] {
            Node::Leaf { mass: 1 } => {
                self.nodes[at] = Node::Free;
                self.free.push(at);
                None
            }
            Node::Leaf { mass } => {
                self.nodes[at] = Node::Leaf { mass: mass - 1 };
                Some(at)
            }
            Node::Branch { dimension, value, left, right, mass } => {
                let goes_left = point[dimension] <= value;
                let Some(child) = self.remove_at(if goes_left { left } else { right }, point) else {
                    // The other child takes the place.
                    self.nodes[at] = Node::Free;
                    self.free.push(at);
                    return Some(if goes_left { right } else { left });
                };
                let (left, right) = if goes_left { (child, right) } else { (left, child) };
                self.nodes[at] = Node::Branch { dimension, value, left, right, mass: mass - 1 };
                self.unite(at, left, right);
                Some(at)
            }
            Node::Free => None,
        }
    }

    /// The score below a node at a depth, and the parts of the dimensions, when they are wanted.
    fn score(&self, at: usize, point: &[f64], depth: usize, parts: &mut [(f64, f64)]) -> f64 {
        let (low, high) = (&self.low[self.range(at)], &self.high[self.range(at)]);
        match self.nodes[at] {
            Node::Free => 0.0,
            Node::Leaf { mass } => {
                if *low == *point {
                    return 1.0 / (depth as f64 + libm::log2(mass as f64 + 1.0));
                }
                let score = 1.0 / (depth as f64 + 1.0);
                let total: f64 = low.iter().zip(point).map(|(a, b)| (a - b).abs()).sum();
                for (part, (a, b)) in parts.iter_mut().zip(low.iter().zip(point)) {
                    let share = score * (a - b).abs() / total;
                    if b > a { part.0 += share } else { part.1 += share }
                }
                score
            }
            Node::Branch { dimension, value, left, right, .. } => {
                let below = if point[dimension] <= value { left } else { right };
                let inner = self.score(below, point, depth + 1, parts);
                let (mut range, mut outside) = (0.0, 0.0);
                for ((low, high), x) in low.iter().zip(high).zip(point) {
                    let beyond = (low - x).max(0.0) + (x - high).max(0.0);
                    outside += beyond;
                    range += high - low + beyond;
                }
                if outside <= 0.0 || range <= 0.0 {
                    return inner;
                }
                let cut_off = outside / range;
                let alone = 1.0 / (depth as f64 + 1.0);
                for (part, ((low, high), x)) in parts.iter_mut().zip(low.iter().zip(high).zip(point)) {
                    part.0 = part.0 * (1.0 - cut_off) + alone * (x - high).max(0.0) / range;
                    part.1 = part.1 * (1.0 - cut_off) + alone * (low - x).max(0.0) / range;
                }
                cut_off * alone + (1.0 - cut_off) * inner
            }
        }
    }
}

impl Forest {
    /// A forest over points of `width` columns.
    pub fn new(width: usize, trees: usize, sample: usize, decay: u64, shingle: usize, seed: u64) -> Self {
        let tree = |index: usize| Tree {
            nodes: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
            width: width * shingle,
            free: Vec::new(),
            root: None,
            random: mix(seed ^ mix(index as u64 + 1)),
            sample: BTreeMap::new(),
        };
        Self { trees: (0..trees).map(tree).collect(), sample, decay: 1.0 / decay as f64, shingle, width, recent: Vec::new(), seen: 0 }
    }

    /// Scores a point, then learns it. The columns' parts are worked out only when they are wanted.
    pub fn next(&mut self, columns: &[f64], explain: bool) -> Scored {
        self.recent.extend_from_slice(columns);
        let dimensions = self.width * self.shingle;
        if self.recent.len() > dimensions {
            self.recent.drain(..self.width);
        }
        let mut scored = Scored { score: 0.0, parts: vec![(0.0, 0.0); self.width] };
        self.seen += 1;
        if self.recent.len() < dimensions {
            return scored;
        }
        let point: Box<[f64]> = self.recent.as_slice().into();
        if self.seen > self.sample as u64 {
            let mut parts = vec![(0.0, 0.0); if explain { dimensions } else { 0 }];
            let mut own = parts.clone();
            for tree in &self.trees {
                let Some(root) = tree.root else { continue };
                own.fill((0.0, 0.0));
                let raw = tree.score(root, &point, 0, &mut own);
                // A tree of n points is about log2(n) deep: scores of all sizes become comparable.
                let factor = libm::log2(tree.mass(root) as f64 + 1.0) / self.trees.len() as f64;
                scored.score += raw * factor;
                for (part, own) in parts.iter_mut().zip(&own) {
                    part.0 += own.0 * factor;
                    part.1 += own.1 * factor;
                }
            }
            // What is not attributed (a point that was seen before) is shared out in proportion.
            let attributed: f64 = parts.iter().map(|(high, low)| high + low).sum();
            for (at, (high, low)) in parts.into_iter().enumerate() {
                let column = &mut scored.parts[at % self.width];
                let factor = if attributed > 0.0 { scored.score / attributed } else { 0.0 };
                column.0 += high * factor;
                column.1 += low * factor;
            }
            if attributed <= 0.0 && explain {
                let share = scored.score / self.width as f64 / 2.0;
                scored.parts.iter_mut().for_each(|part| *part = (share, share));
            }
        }
        self.learn(&point);
        scored
    }

    fn learn(&mut self, point: &[f64]) {
        let age = self.seen as f64 * self.decay;
        for tree in &mut self.trees {
            // Priority sampling with exponential decay: newer points have smaller keys.
            let key = libm::log(-libm::log(tree.draw())) - age;
            let ordered = ordered_bits(key);
            if tree.sample.len() >= self.sample {
                let Some((worst, _)) = tree.sample.last_key_value() else { continue };
                if worst.0 <= ordered {
                    continue;
                }
                if let Some((_, old)) = tree.sample.pop_last() {
                    tree.remove(&old);
                }
            }
            tree.insert(point);
            tree.sample.insert((ordered, self.seen), point.into());
        }
    }

    /// Points held by all trees.
    pub fn held(&self) -> usize {
        self.trees.iter().map(|tree| tree.sample.len()).sum()
    }
}

/// Bits that order as the numbers do.
fn ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_scores_above_everything_and_runs_repeat() {
        let run = || {
            let mut forest = Forest::new(1, 50, 128, 10_000, 1, 7);
            let mut scores = Vec::new();
            for at in 0..1000u64 {
                let value = if at == 800 { 500.0 } else { 60.0 + (mix(at) % 4000) as f64 / 100.0 };
                scores.push(forest.next(&[value], true));
            }
            scores
        };
        let scores = run();
        assert!(scores[..128].iter().all(|scored| scored.score == 0.0));
        let best = scores.iter().enumerate().max_by(|a, b| a.1.score.total_cmp(&b.1.score)).expect("some").0;
        assert_eq!(best, 800);
        assert!(scores[800].parts[0].0 > scores[800].parts[0].1 * 5.0);
        assert_eq!(scores, run());
    }
}
