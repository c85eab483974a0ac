//! What flows between operators: rows, or batches of columns.
//!
//! Invariants: times of a batch never decrease; a batch holds the same rows as the list that [`Flowing::into_rows`] makes.

use std::sync::Arc;

use crate::sql::column::{Column, ColumnBuilder, Slots};
use crate::sql::value::Value;

/// What made a row come out just now, in the order in which that happened. Two numbers belong to each row that enters a program: the even one
/// to the clock that it moves, the odd one to the row itself.
pub(super) type Cause = u64;

/// A row on its way.
#[derive(Debug, Clone)]
pub struct Row {
    /// ROWTIME in milliseconds since 1970.
    pub time: i64,
    /// Cells; the last one is ROWTIME again.
    pub cells: Arc<[Value]>,
    /// A join's rows: how long they can meet others.
    pub live: i64,
    pub(super) cause: Cause,
}

/// Buffers at rest at most: what a batch needs at once, not what an hour has needed.
const BUFFERS_MAX: usize = 16;

/// Buffers for rows between operators, used again. A copy of a program at work has none: they hold nothing.
#[derive(Debug, Default)]
pub(super) struct Buffers(Vec<Vec<Row>>);

impl Clone for Buffers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Buffers {
    pub(super) fn take(&mut self) -> Vec<Row> {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn give(&mut self, mut rows: Vec<Row>) {
        if self.0.len() < BUFFERS_MAX {
            rows.clear();
            self.0.push(rows);
        }
    }
}

/// A number for each row; that of an only row stands where it is.
#[derive(Debug, Clone)]
enum Each<T> {
    One(T),
    Rows(Arc<Vec<T>>),
}

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self::Rows(Arc::default())
    }
}

impl<T: Copy> Each<T> {
    fn list(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Rows(rows) => rows,
        }
    }

    fn shared(&self) -> Arc<Vec<T>> {
        match self {
            Self::One(one) => Arc::new(vec![*one]),
            Self::Rows(rows) => rows.clone(),
        }
    }
}

/// Cells of a batch: over the rows, or those of its only row.
#[derive(Debug, Clone)]
enum Cells {
    Columns(Arc<[Column]>),
    Row(Arc<[Value]>),
}

impl Default for Cells {
    fn default() -> Self {
        Self::Columns(Arc::default())
    }
}

/// Rows as columns.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    times: Each<i64>,
    cells: Cells,
    /// The rows of the columns that are meant; all when absent.
    picked: Option<Arc<Vec<u32>>>,
    causes: Each<Cause>,
    /// A join's rows: how long they can meet others.
    live: Option<Arc<Vec<i64>>>,
}

impl Batch {
    /// Rows for a source stream: their times, which must not decrease to be taken, and the cells of its declared and hidden columns; those that
    /// are missing are NULL. `None` when a column has another number of rows.
    pub fn new(times: Vec<i64>, columns: Vec<Column>) -> Option<Self> {
        columns.iter().all(|column| column.same_length(times.len())).then(|| Self {
            times: Each::Rows(Arc::new(times)),
            cells: Cells::Columns(columns.into()),
            picked: None,
            causes: Each::default(),
            live: None,
        })
    }

    /// Rows of a stream or a select list: ROWTIME stands behind their cells.
    pub(super) fn with(times: Arc<Vec<i64>>, mut columns: Vec<Column>, causes: Arc<Vec<Cause>>) -> Self {
        columns.push(Column::Times(Slots { values: times.clone(), nulls: None }));
        Self::whole(times, columns, causes)
    }

    /// Rows whose cells are all there.
    pub(super) fn whole(times: Arc<Vec<i64>>, columns: Vec<Column>, causes: Arc<Vec<Cause>>) -> Self {
        Self { times: Each::Rows(times), cells: Cells::Columns(columns.into()), picked: None, causes: Each::Rows(causes), live: None }
    }

    pub(super) fn with_live(self, live: Option<Arc<Vec<i64>>>) -> Self {
        Self { live, ..self }
    }

    /// Rows of one width.
    pub(super) fn of_rows(rows: &[Row]) -> Self {
        if let [row] = rows {
            let live = (row.live < i64::MAX).then(|| Arc::new(vec![row.live]));
            return Self { times: Each::One(row.time), cells: Cells::Row(row.cells.clone()), picked: None, causes: Each::One(row.cause), live };
        }
        let width = rows.first().map_or(1, |row| row.cells.len());
        let mut builders = vec![ColumnBuilder::default(); width];
        for row in rows {
            for (builder, cell) in builders.iter_mut().zip(row.cells.iter()) {
                builder.push(cell.clone());
            }
        }
        let columns = builders.into_iter().map(ColumnBuilder::finish).collect();
        let times = Arc::new(rows.iter().map(|row| row.time).collect());
        let batch = Self::whole(times, columns, Arc::new(rows.iter().map(|row| row.cause).collect()));
        let live = rows.iter().any(|row| row.live < i64::MAX).then(|| Arc::new(rows.iter().map(|row| row.live).collect()));
        batch.with_live(live)
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.times().len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.times().is_empty()
    }

    /// ROWTIME of the rows.
    pub fn times(&self) -> &[i64] {
        self.times.list()
    }

    pub(super) fn shared_times(&self) -> Arc<Vec<i64>> {
        self.times.shared()
    }

    pub(super) fn causes(&self) -> &[Cause] {
        self.causes.list()
    }

    pub(super) fn shared_causes(&self) -> Arc<Vec<Cause>> {
        self.causes.shared()
    }

    pub(super) fn shared_live(&self) -> Option<Arc<Vec<i64>>> {
        self.live.clone()
    }

    /// How long a row can meet others.
    pub(super) fn live(&self, row: usize) -> i64 {
        self.live.as_ref().map_or(i64::MAX, |live| live[row])
    }

    /// Cells of a row.
    pub fn width(&self) -> usize {
        match &self.cells {
            Cells::Columns(columns) => columns.len(),
            Cells::Row(cells) => cells.len(),
        }
    }

    /// A cell over all rows.
    pub fn column(&self, cell: usize) -> Column {
        match (&self.cells, &self.picked) {
            (Cells::Columns(columns), None) => columns.get(cell).cloned().unwrap_or(Column::Repeat(Value::Null)),
            (Cells::Columns(columns), Some(rows)) => columns.get(cell).map_or(Column::Repeat(Value::Null), |column| column.pick(rows)),
            (Cells::Row(cells), _) => Column::Repeat(cells.get(cell).cloned().unwrap_or(Value::Null)),
        }
    }

    /// A cell.
    pub fn value(&self, row: usize, cell: usize) -> Value {
        match &self.cells {
            Cells::Columns(columns) => columns.get(cell).map_or(Value::Null, |column| column.value(self.place(row))),
            Cells::Row(cells) => cells.get(cell).cloned().unwrap_or(Value::Null),
        }
    }

    /// A cell is NULL in every row.
    pub(super) fn only_null(&self, cell: usize) -> bool {
        match &self.cells {
            Cells::Columns(columns) => matches!(columns.get(cell), None | Some(Column::Repeat(Value::Null))),
            Cells::Row(cells) => cells.get(cell).is_none_or(Value::is_null),
        }
    }

    /// Adds a cell to a column.
    pub(super) fn push_to(&self, builder: &mut ColumnBuilder, row: usize, cell: usize) {
        match &self.cells {
            Cells::Columns(columns) if cell < columns.len() => builder.push_from(&columns[cell], self.place(row)),
            _ => builder.push(self.value(row, cell)),
        }
    }

    /// Where a row lies in the columns.
    fn place(&self, row: usize) -> usize {
        self.picked.as_ref().map_or(row, |rows| rows[row] as usize)
    }

    /// The cells of a row.
    pub fn cells(&self, row: usize) -> Arc<[Value]> {
        match &self.cells {
            Cells::Columns(columns) => {
                let place = self.place(row);
                columns.iter().map(|column| column.value(place)).collect()
            }
            Cells::Row(cells) => cells.clone(),
        }
    }

    /// The cells of the only row, when they are at hand.
    pub(super) fn only_row(&self) -> Option<&[Value]> {
        match &self.cells {
            Cells::Row(cells) if self.len() == 1 => Some(cells),
            _ => None,
        }
    }

    pub(super) fn row(&self, row: usize) -> Row {
        Row { time: self.times()[row], cells: self.cells(row), live: self.live(row), cause: self.causes().get(row).copied().unwrap_or(0) }
    }

    /// All rows.
    pub(super) fn to_rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.len()).map(|row| self.row(row))
    }

    /// Some rows.
    pub(super) fn pick(&self, rows: Vec<u32>) -> Self {
        let times = rows.iter().map(|row| self.times()[*row as usize]).collect();
        let causes = rows.iter().map(|row| self.causes()[*row as usize]).collect();
        let live = self.live.as_ref().map(|live| Arc::new(rows.iter().map(|row| live[*row as usize]).collect()));
        let picked = match &self.picked {
            None => rows,
            Some(before) => rows.iter().map(|row| before[*row as usize]).collect(),
        };
        Self {
            times: Each::Rows(Arc::new(times)),
            cells: self.cells.clone(),
            picked: Some(Arc::new(picked)),
            causes: Each::Rows(Arc::new(causes)),
            live,
        }
    }

    /// A source's batch with all cells of its stream.
    pub(super) fn entering(&self, width: usize, causes: Vec<Cause>) -> Self {
        let columns = (0..width).map(|cell| self.column(cell)).collect();
        Self::with(self.shared_times(), columns, Arc::new(causes))
    }
}

/// Rows or a batch.
#[derive(Debug, Clone)]
pub(super) enum Flowing {
    Rows(Vec<Row>),
    Batch(Batch),
}

impl Flowing {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Batch(batch) => batch.len(),
        }
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        match self {
            Self::Rows(rows) => rows,
            Self::Batch(batch) => batch.to_rows().collect(),
        }
    }

    pub(super) fn into_batch(self) -> Batch {
        match self {
            Self::Rows(rows) => Batch::of_rows(&rows),
            Self::Batch(batch) => batch,
        }
    }
}
