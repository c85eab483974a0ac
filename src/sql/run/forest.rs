//! Random cut forest: robust anomaly scores on a stream (Guha, Mishra, Roy, Schrijvers 2016). Trees over time-decayed samples; a point's
//! score says how early random cuts would separate it from the rest. Seeded: the same points give the same scores.

use std::collections::BinaryHeap;
use std::sync::Arc;

/// No node.
const NONE: u32 = u32::MAX;

/// A node of a tree; its box lies in the tree's array. A leaf has no sides: its box is its point.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Points up to the cut's value go left, the others right.
    value: f64,
    dimension: u32,
    left: u32,
    right: u32,
    parent: u32,
    /// Points below.
    mass: u32,
}

impl Node {
    fn is_leaf(&self) -> bool {
        self.left == NONE
    }
}

/// A point of the sample: its decaying key, when it came, and its leaf. The greatest key leaves first.
type Sampled = (u64, u64, u32);

/// Least and greatest corner of a node's box. Copies of a forest share them until they change; both corners of a leaf are its point, which all
/// trees share.
#[derive(Debug, Clone, Default)]
struct Corners {
    low: Arc<[f64]>,
    high: Arc<[f64]>,
}

impl Corners {
    fn of(point: &Arc<[f64]>) -> Self {
        Self { low: point.clone(), high: point.clone() }
    }
}

/// Makes a corner what `wanted` says of each number; says whether it changed. One that is shared is copied only when it does.
fn set(corner: &mut Arc<[f64]>, wanted: impl Iterator<Item = f64> + Clone) -> bool {
    match Arc::get_mut(corner) {
        Some(own) if !own.is_empty() => own.iter_mut().zip(wanted).fold(false, |changed, (own, wanted)| {
            let other = *own != wanted;
            *own = wanted;
            changed | other
        }),
        _ => {
            let changed = !corner.iter().copied().eq(wanted.clone());
            if changed {
                *corner = wanted.collect();
            }
            changed
        }
    }
}

#[derive(Debug, Clone)]
struct Tree {
    nodes: Vec<Node>,
    /// Each node's box.
    boxes: Vec<Corners>,
    free: Vec<u32>,
    root: u32,
    random: u64,
    sample: BinaryHeap<Sampled>,
    /// exp(greatest key of the sample + age of the next point): a draw up to exp(-odds) is not taken into a full sample.
    odds: f64,
    /// What makes scores of trees of all sizes comparable, for the mass it was worked out for.
    scale: (u32, f64),
}

/// The forest.
#[derive(Debug, Clone)]
pub struct Forest {
    trees: Vec<Tree>,
    sample: usize,
    decay: f64,
    fade: f64,
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
    fn new(random: u64) -> Self {
        Self {
            nodes: Vec::new(),
            boxes: Vec::new(),
            free: Vec::new(),
            root: NONE,
            random,
            sample: BinaryHeap::new(),
            odds: f64::INFINITY,
            scale: (0, 0.0),
        }
    }

    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((mix(self.random) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Least and greatest corner of a node's box.
    fn corners(&self, at: u32) -> (&[f64], &[f64]) {
        let corners = &self.boxes[at as usize];
        (&corners.low, &corners.high)
    }

    fn new_node(&mut self, node: Node, corners: Corners) -> u32 {
        if let Some(at) = self.free.pop() {
            self.nodes[at as usize] = node;
            self.boxes[at as usize] = corners;
            return at;
        }
        self.nodes.push(node);
        self.boxes.push(corners);
        self.nodes.len() as u32 - 1
    }

    fn free_node(&mut self, at: u32) {
        self.boxes[at as usize] = Corners::default();
        self.free.push(at);
    }

    fn new_leaf(&mut self, point: &Arc<[f64]>, parent: u32) -> u32 {
        self.new_node(Node { value: 0.0, dimension: 0, left: NONE, right: NONE, parent, mass: 1 }, Corners::of(point))
    }

    /// Inserts a point; gives its leaf.
    fn insert(&mut self, point: &Arc<[f64]>) -> u32 {
        if self.root == NONE {
            self.root = self.new_leaf(point, NONE);
            return self.root;
        }
        let mut at = self.root;
        loop {
            let node = self.nodes[at as usize];
            if node.is_leaf() && *self.corners(at).0 == **point {
                break;
            }
            if let Some((dimension, value, point_left)) = self.cut_above(at, point) {
                return self.stand_above(at, point, dimension, value, point_left);
            }
            if node.is_leaf() {
                // Equal within rounding: it counts as the same point.
                break;
            }
            self.widen(at, point);
            self.nodes[at as usize].mass += 1;
            at = if point[node.dimension as usize] <= node.value { node.left } else { node.right };
        }
        self.nodes[at as usize].mass += 1;
        at
    }

    /// A random cut of the box that the node and the point have together: dimension, value, and whether the point is on the left, when it
    /// parts them.
    fn cut_above(&mut self, at: u32, point: &[f64]) -> Option<(u32, f64, bool)> {
        let drawn = self.draw();
        let (low, high) = self.corners(at);
        let total: f64 = low.iter().zip(high).zip(point).map(|((low, high), x)| high.max(*x) - low.min(*x)).sum();
        let mut cut = drawn * total;
        for (dimension, ((low, high), x)) in low.iter().zip(high).zip(point).enumerate() {
            let least = low.min(*x);
            let width = high.max(*x) - least;
            if cut <= width && width > 0.0 {
                let value = least + cut;
                return if *x <= value && value < *low {
                    Some((dimension as u32, value, true))
                } else if *high <= value && value < *x {
                    Some((dimension as u32, value, false))
                } else {
                    None
                };
            }
            cut -= width;
        }
        None
    }

    /// A branch takes the node's place, with the node and the point's leaf on its sides.
    fn stand_above(&mut self, at: u32, point: &Arc<[f64]>, dimension: u32, value: f64, point_left: bool) -> u32 {
        let (parent, mass) = (self.nodes[at as usize].parent, self.nodes[at as usize].mass + 1);
        let leaf = self.new_leaf(point, NONE);
        let (left, right) = if point_left { (leaf, at) } else { (at, leaf) };
        let branch = self.new_node(Node { value, dimension, left, right, parent, mass }, Corners::default());
        self.nodes[leaf as usize].parent = branch;
        self.nodes[at as usize].parent = branch;
        self.replace_child(parent, at, branch);
        self.unite(branch);
        leaf
    }

    fn replace_child(&mut self, parent: u32, old: u32, new: u32) {
        if parent == NONE {
            self.root = new;
            return;
        }
        let parent = &mut self.nodes[parent as usize];
        if parent.left == old {
            parent.left = new;
        } else {
            parent.right = new;
        }
    }

    fn widen(&mut self, at: u32, point: &[f64]) {
        let corners = &mut self.boxes[at as usize];
        if corners.low.iter().zip(point).any(|(low, x)| x < low) {
            Arc::make_mut(&mut corners.low).iter_mut().zip(point).for_each(|(low, x)| *low = low.min(*x));
        }
        if corners.high.iter().zip(point).any(|(high, x)| x > high) {
            Arc::make_mut(&mut corners.high).iter_mut().zip(point).for_each(|(high, x)| *high = high.max(*x));
        }
    }

    /// The box of a branch is that of its sides together; says whether it changed.
    fn unite(&mut self, at: u32) -> bool {
        let node = self.nodes[at as usize];
        let mut own = std::mem::take(&mut self.boxes[at as usize]);
        let (left, right) = (&self.boxes[node.left as usize], &self.boxes[node.right as usize]);
        let low = set(&mut own.low, left.low.iter().zip(&*right.low).map(|(a, b)| a.min(*b)));
        let high = set(&mut own.high, left.high.iter().zip(&*right.high).map(|(a, b)| a.max(*b)));
        self.boxes[at as usize] = own;
        low || high
    }

    /// Removes one point of a leaf.
    fn remove(&mut self, leaf: u32) {
        let node = self.nodes[leaf as usize];
        let mut at = node.parent;
        let mut boxes_change = false;
        if node.mass > 1 {
            self.nodes[leaf as usize].mass -= 1;
        } else {
            self.free_node(leaf);
            if at == NONE {
                self.root = NONE;
                return;
            }
            // The other child takes the parent's place.
            let parent = self.nodes[at as usize];
            let sibling = if parent.left == leaf { parent.right } else { parent.left };
            self.nodes[sibling as usize].parent = parent.parent;
            self.replace_child(parent.parent, at, sibling);
            self.free_node(at);
            at = parent.parent;
            boxes_change = true;
        }
        while at != NONE {
            self.nodes[at as usize].mass -= 1;
            boxes_change = boxes_change && self.unite(at);
            at = self.nodes[at as usize].parent;
        }
    }

    /// The score of a point, and the parts of the dimensions when they are wanted: how early random cuts would part it from the others.
    fn score(&self, point: &[f64], parts: &mut [(f64, f64)]) -> f64 {
        if self.root == NONE {
            return 0.0;
        }
        // What is left to be scored further down, after the chances of being cut off above.
        let (mut score, mut left_over, mut depth, mut at) = (0.0, 1.0, 0.0, self.root);
        loop {
            let node = &self.nodes[at as usize];
            let (low, high) = self.corners(at);
            let alone = 1.0 / (depth + 1.0);
            if node.is_leaf() {
                if low == point {
                    let deeper = if node.mass == 1 { 1.0 } else { libm::log2(f64::from(node.mass) + 1.0) };
                    return score + left_over / (depth + deeper);
                }
                let part = left_over * alone;
                let total: f64 = low.iter().zip(point).map(|(a, b)| (a - b).abs()).sum();
                for (own, (a, b)) in parts.iter_mut().zip(low.iter().zip(point)) {
                    let share = part * (a - b).abs() / total;
                    if b > a { own.0 += share } else { own.1 += share }
                }
                return score + part;
            }
            let (mut range, mut outside) = (0.0, 0.0);
            for ((low, high), x) in low.iter().zip(high).zip(point) {
                let beyond = (low - x).max(0.0) + (x - high).max(0.0);
                outside += beyond;
                range += high - low + beyond;
            }
            if outside > 0.0 {
                let part = left_over * alone;
                for (own, ((low, high), x)) in parts.iter_mut().zip(low.iter().zip(high).zip(point)) {
                    own.0 += part * (x - high).max(0.0) / range;
                    own.1 += part * (low - x).max(0.0) / range;
                }
                let cut_off = outside / range;
                score += cut_off * part;
                left_over *= 1.0 - cut_off;
            }
            depth += 1.0;
            at = if point[node.dimension as usize] <= node.value { node.left } else { node.right };
        }
    }

    /// A tree of n points is about log2(n) deep: scores of trees of all sizes become comparable.
    fn scale(&mut self) -> f64 {
        let mass = self.nodes.get(self.root as usize).map_or(0, |root| root.mass);
        if self.scale.0 != mass {
            self.scale = (mass, libm::log2(f64::from(mass) + 1.0));
        }
        self.scale.1
    }

    /// Priority sampling with exponential decay: newer points have smaller keys. `fade` is the growth of the odds from one point to the next.
    fn learn(&mut self, point: &Arc<[f64]>, seen: u64, age: f64, fade: f64, sample: usize) {
        let drawn = self.draw();
        let full = self.sample.len() >= sample;
        let odds = self.odds;
        self.odds *= fade;
        // exp(-odds) is never below 1 - odds: most points are refused without a logarithm.
        if full && drawn <= 1.0 - odds * (1.0 + 1e-9) {
            return;
        }
        let key = ordered_bits(libm::log(-libm::log(drawn)) - age);
        if full {
            match self.sample.peek() {
                Some((worst, ..)) if *worst > key => {}
                _ => return,
            }
            if let Some((.., leaf)) = self.sample.pop() {
                self.remove(leaf);
            }
        }
        let leaf = self.insert(point);
        self.sample.push((key, seen, leaf));
        if let Some((worst, ..)) = self.sample.peek() {
            self.odds = libm::exp(from_ordered_bits(*worst) + age) * fade;
        }
    }
}

impl Forest {
    /// A forest over points of `width` columns.
    pub fn new(width: usize, trees: usize, sample: usize, decay: u64, shingle: usize, seed: u64) -> Self {
        let tree = |index: usize| Tree::new(mix(seed ^ mix(index as u64 + 1)));
        Self {
            trees: (0..trees).map(tree).collect(),
            sample,
            decay: 1.0 / decay as f64,
            fade: libm::exp(1.0 / decay as f64),
            shingle,
            width,
            recent: Vec::new(),
            seen: 0,
        }
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
        let point: Arc<[f64]> = self.recent.as_slice().into();
        if self.seen > self.sample as u64 {
            let mut parts = vec![(0.0, 0.0); if explain { dimensions } else { 0 }];
            let mut own = parts.clone();
            let trees = self.trees.len() as f64;
            for tree in &mut self.trees {
                own.fill((0.0, 0.0));
                let raw = tree.score(&point, &mut own);
                let factor = tree.scale() / trees;
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
        let age = self.seen as f64 * self.decay;
        for tree in &mut self.trees {
            tree.learn(&point, self.seen, age, self.fade, self.sample);
        }
        scored
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

/// The number of [`ordered_bits`].
fn from_ordered_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes, masses and parents after every change, and a sample that follows the definition.
    #[test]
    fn trees_stay_sound() {
        let mut forest = Forest::new(2, 3, 32, 200, 1, 11);
        for at in 0..2000u64 {
            forest.next(&[(mix(at) % 20) as f64, (mix(at + 7) % 9) as f64 / 3.0], false);
            for tree in &forest.trees {
                let mut stack = vec![(tree.root, NONE)];
                while let Some((at, parent)) = stack.pop() {
                    let node = tree.nodes[at as usize];
                    assert_eq!(node.parent, parent);
                    if node.is_leaf() {
                        assert_eq!(tree.corners(at).0, tree.corners(at).1);
                        continue;
                    }
                    let (left, right) = (tree.nodes[node.left as usize], tree.nodes[node.right as usize]);
                    assert_eq!(node.mass, left.mass + right.mass);
                    let cut = node.dimension as usize;
                    assert!(tree.corners(node.left).1[cut] <= node.value && node.value < tree.corners(node.right).0[cut]);
                    for dimension in 0..2 {
                        assert_eq!(tree.corners(at).0[dimension], tree.corners(node.left).0[dimension].min(tree.corners(node.right).0[dimension]));
                        assert_eq!(tree.corners(at).1[dimension], tree.corners(node.left).1[dimension].max(tree.corners(node.right).1[dimension]));
                    }
                    stack.extend([(node.left, at), (node.right, at)]);
                }
                assert_eq!(tree.nodes[tree.root as usize].mass as usize, tree.sample.len());
            }
        }
        // Newer points are likelier to be held: with a decay of 200 the sample is young.
        let ages: Vec<u64> = forest.trees.iter().flat_map(|tree| tree.sample.iter().map(|(_, seen, _)| 2000 - seen)).collect();
        let mean = ages.iter().sum::<u64>() / ages.len() as u64;
        assert!((100..320).contains(&mean), "{mean}");
    }

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
