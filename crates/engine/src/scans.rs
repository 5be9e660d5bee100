//! A table as DataFusion reads it: buffered chunks and Parquet files, points that may repeat merged into one.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_expr::expressions::{Column as PhysicalColumn, Literal};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use rescind_domain::TableId;

use crate::bounds::Bounds;
use crate::chunks::{Chunk, TimeRange};
use crate::deduplication::{DeduplicateExec, Group};
use crate::files::{DataFile, relative_path};
use crate::picks::Pick;
use crate::schema::{TIME, TableSchema};
use crate::tables::Snapshot;

/// Where DataFusion finds the data files; nothing else is registered.
pub(crate) const STORE: &str = "rescind://data";
/// Name of the column that orders points by age below the merging; no client's column can be named so, because it
/// is not in the schema that queries see.
const ORDER: &str = "\u{0}order";

/// One table at one moment.
pub(crate) struct TableScan {
    pub(crate) table: TableId,
    pub(crate) snapshot: Snapshot,
    /// Points before it have expired.
    pub(crate) horizon: Option<i64>,
}

impl fmt::Debug for TableScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableScan")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// A place that holds points: the older first.
#[derive(Debug, Clone)]
enum Source {
    File(Arc<DataFile>),
    Chunk(Arc<Chunk>),
}

/// Sources, told apart by whether their points may repeat one another.
#[derive(Debug, Default)]
struct Sources {
    plain: Vec<Source>,
    /// Each group with the ages of its sources; points of different groups never repeat.
    groups: Vec<Vec<(u64, Source)>>,
}

impl Source {
    fn times(&self) -> TimeRange {
        match self {
            Self::File(file) => file.meta.times,
            Self::Chunk(chunk) => chunk.times,
        }
    }

    fn late(&self) -> Option<TimeRange> {
        match self {
            Self::File(file) => file.meta.late,
            Self::Chunk(chunk) => chunk.late,
        }
    }
}

impl Sources {
    fn new(snapshot: &Snapshot, times: TimeRange) -> Self {
        let files = snapshot.files.iter().cloned().map(Source::File);
        let chunks = snapshot.chunks.iter().cloned().map(Source::Chunk);
        let all: Vec<(u64, Source)> = (0..)
            .zip(files.chain(chunks))
            .filter(|(_, source)| source.times().overlaps(times))
            .collect();
        let mut is_repeated = vec![false; all.len()];
        for (index, (_, source)) in all.iter().enumerate() {
            let Some(late) = source.late().and_then(|late| late.intersection(times)) else {
                continue;
            };
            // A file holds no point twice; a chunk with late points may.
            let mut repeats = matches!(source, Source::Chunk(_));
            for (earlier, (_, other)) in all[..index].iter().enumerate() {
                if other.times().overlaps(late) {
                    is_repeated[earlier] = true;
                    repeats = true;
                }
            }
            is_repeated[index] |= repeats;
        }
        let mut sources = Self::default();
        let mut repeated = Vec::new();
        for ((age, source), is_repeated) in all.into_iter().zip(is_repeated) {
            if is_repeated {
                repeated.push((age, source));
            } else {
                sources.plain.push(source);
            }
        }
        sources.group(repeated);
        sources
    }

    /// Groups sources whose times overlap, directly or through others.
    fn group(&mut self, mut repeated: Vec<(u64, Source)>) {
        repeated.sort_by_key(|(_, source)| source.times().min);
        let mut end = None;
        for (age, source) in repeated {
            let times = source.times();
            match self.groups.last_mut() {
                Some(group) if end >= Some(times.min) => group.push((age, source)),
                _ => self.groups.push(vec![(age, source)]),
            }
            end = end.max(Some(times.max));
        }
    }
}

#[async_trait]
impl TableProvider for TableScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.snapshot.schema.arrow())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They narrow what is read; DataFusion applies them exactly above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let fields = projection.unwrap_or(&all);
        let mut bounds = Bounds::from_horizon(self.horizon);
        filters.iter().for_each(|filter| bounds.narrow(filter));
        self.plan(state, fields, filters, &bounds)
    }
}

impl TableScan {
    /// Reads `fields` of the points within `bounds`.
    fn plan(
        &self,
        state: &dyn Session,
        fields: &[usize],
        filters: &[Expr],
        bounds: &Bounds,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = Arc::new(self.schema().project(fields)?);
        let sources = Sources::new(&self.snapshot, bounds.times);
        let reader = Reader {
            scan: self,
            state,
            bounds,
        };
        let mut chunks = Vec::new();
        let mut files = Vec::new();
        for source in sources.plain {
            match source {
                Source::Chunk(chunk) => chunks.push(chunk),
                Source::File(file) => files.push(file),
            }
        }
        let mut plans = Vec::new();
        plans.extend(reader.chunks(&chunks, fields, &schema)?);
        plans.extend(reader.files(files, fields)?);
        plans.extend(reader.groups(sources.groups, fields, filters, &schema)?);
        if plans.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        UnionExec::try_new(plans)
    }

    /// All points of some files, sorted by key and merged: what compaction writes.
    pub(crate) fn sorted(&self, state: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let bounds = Bounds::from_horizon(None);
        let reader = Reader {
            scan: self,
            state,
            bounds: &bounds,
        };
        let fields: Vec<usize> = (0..self.schema().fields().len()).collect();
        let files = self.snapshot.files.iter().cloned().map(Source::File);
        let group = (0..).zip(files).collect();
        let group = reader.group(group, &fields, &[])?;
        Ok(Arc::new(DeduplicateExec::new(vec![group], 1, self.schema())))
    }
}

/// Builds the parts of one scan.
struct Reader<'a> {
    scan: &'a TableScan,
    state: &'a dyn Session,
    bounds: &'a Bounds,
}

impl Reader<'_> {
    fn schema(&self) -> &TableSchema {
        &self.scan.snapshot.schema
    }

    fn chunks(
        &self,
        chunks: &[Arc<Chunk>],
        fields: &[usize],
        schema: &SchemaRef,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let pick = Pick::new(self.schema(), fields, Arc::clone(schema), self.bounds);
        let mut batches = Vec::new();
        for chunk in chunks {
            batches.extend(pick.of(chunk)?);
        }
        if batches.is_empty() {
            return Ok(None);
        }
        let parts = self.state.config().target_partitions().min(batches.len()).max(1);
        let mut partitions = vec![Vec::new(); parts];
        for (index, batch) in batches.into_iter().enumerate() {
            partitions[index % parts].push(batch);
        }
        Ok(Some(MemorySourceConfig::try_new_exec(
            &partitions,
            Arc::clone(schema),
            None,
        )?))
    }

    fn files(&self, files: Vec<Arc<DataFile>>, fields: &[usize]) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let horizon = self.scan.horizon.unwrap_or(i64::MIN);
        let (expiring, whole): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.meta.times.min < horizon);
        let mut plans = Vec::new();
        if !whole.is_empty() {
            let parts = self.state.config().target_partitions().min(whole.len()).max(1);
            let mut groups = vec![FileGroup::new(Vec::new()); parts];
            for (index, file) in whole.iter().enumerate() {
                groups[index % parts].push(self.partitioned(file));
            }
            plans.push(self.parquet(groups, fields.to_vec(), None)?);
        }
        for file in expiring {
            plans.push(self.expiring_file(&file, fields, horizon)?);
        }
        Ok(plans)
    }

    /// A file with points on both sides of the horizon.
    fn expiring_file(
        &self,
        file: &DataFile,
        fields: &[usize],
        horizon: i64,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = self.schema().arrow();
        let time = table.index_of(TIME)?;
        let mut with_time = fields.to_vec();
        if !fields.contains(&time) {
            with_time.push(time);
        }
        let group = FileGroup::new(vec![self.partitioned(file)]);
        let plan = self.parquet(vec![group], with_time, None)?;
        let filter = col(TIME).gt_eq(lit(ScalarValue::TimestampNanosecond(Some(horizon), None)));
        let plan = self.filtered(plan, &[filter])?;
        project(plan, fields.len())
    }

    fn groups(
        &self,
        groups: Vec<Vec<(u64, Source)>>,
        fields: &[usize],
        filters: &[Expr],
        schema: &SchemaRef,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if groups.is_empty() {
            return Ok(None);
        }
        // Only filters on what identifies a point may go below the merging of its values.
        let mut filters = self.key_filters(filters);
        if let Some(horizon) = self.scan.horizon {
            filters.push(col(TIME).gt_eq(lit(ScalarValue::TimestampNanosecond(Some(horizon), None))));
        }
        let groups = groups
            .into_iter()
            .map(|group| self.group(group, fields, &filters))
            .collect::<Result<_>>()?;
        let partitions = self.state.config().target_partitions();
        Ok(Some(Arc::new(DeduplicateExec::new(
            groups,
            partitions,
            Arc::clone(schema),
        ))))
    }

    fn key_filters(&self, filters: &[Expr]) -> Vec<Expr> {
        let table = self.schema().arrow();
        let keys = self.schema().key_fields();
        let is_key = |name: &str| table.index_of(name).is_ok_and(|field| keys.contains(&field));
        let is_on_keys = |filter: &&Expr| {
            !filter.is_volatile() && filter.column_refs().iter().all(|column| is_key(&column.name))
        };
        filters.iter().filter(is_on_keys).cloned().collect()
    }

    /// A plan for the sources of one group, sorted by key and age: keys first, then the other wanted fields, then
    /// the age.
    fn group(&self, group: Vec<(u64, Source)>, fields: &[usize], filters: &[Expr]) -> Result<Group> {
        let table = self.schema().arrow();
        let keys = self.schema().key_fields();
        let mut inner = keys.clone();
        inner.extend(fields.iter().filter(|field| !keys.contains(field)));
        let mut inner_fields: Vec<Field> = inner.iter().map(|field| table.field(*field).clone()).collect();
        inner_fields.push(Field::new(ORDER, DataType::UInt64, false));
        let schema = Arc::new(Schema::new(inner_fields));
        let ordering = ordering(&schema, keys.len())?;

        let pick = Pick::new(self.schema(), &inner, Arc::clone(&schema), self.bounds);
        let mut plans = Vec::new();
        let mut batches = Vec::new();
        for (age, source) in group {
            // Points within a source are told apart by the low half.
            let age = age << 32;
            match source {
                Source::Chunk(chunk) => batches.extend(pick.ordered(&chunk, age)?),
                Source::File(file) => plans.push(self.aged_file(&file, &inner, &schema, age, filters)?),
            }
        }
        if !batches.is_empty() {
            let plan: Arc<dyn ExecutionPlan> =
                MemorySourceConfig::try_new_exec(&[batches], Arc::clone(&schema), None)?;
            let plan = self.filtered(plan, filters)?;
            plans.push(Arc::new(SortExec::new(ordering.clone(), plan)));
        }
        let plan: Arc<dyn ExecutionPlan> = match plans.len() {
            0 => Arc::new(EmptyExec::new(Arc::clone(&schema))),
            1 => plans.remove(0),
            _ => Arc::new(SortPreservingMergeExec::new(ordering, UnionExec::try_new(plans)?)),
        };
        let position = |field: &usize| {
            let position = inner.iter().position(|inner| inner == field);
            position.ok_or_else(|| DataFusionError::Internal("a field is not read".to_owned()))
        };
        Ok(Group {
            plan,
            keys: (0..keys.len()).collect(),
            output: fields.iter().map(position).collect::<Result<_>>()?,
        })
    }

    fn aged_file(
        &self,
        file: &DataFile,
        fields: &[usize],
        schema: &SchemaRef,
        age: u64,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = conjunction(filters.iter().cloned())
            .map(|filter| {
                self.state
                    .create_physical_expr(filter, &df_schema(self.schema().arrow())?)
            })
            .transpose()?;
        let group = FileGroup::new(vec![self.partitioned(file)]);
        let plan = self.parquet(vec![group], fields.to_vec(), predicate)?;
        let plan = self.filtered(plan, filters)?;
        let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::with_capacity(fields.len() + 1);
        for (index, field) in plan.schema().fields().iter().enumerate() {
            columns.push((
                Arc::new(PhysicalColumn::new(field.name(), index)),
                field.name().clone(),
            ));
        }
        let age = Literal::new(ScalarValue::UInt64(Some(age)));
        columns.push((Arc::new(age), schema.field(fields.len()).name().clone()));
        Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
    }

    fn filtered(&self, plan: Arc<dyn ExecutionPlan>, filters: &[Expr]) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(plan);
        };
        let predicate = self
            .state
            .create_physical_expr(filter, &df_schema(&plan.schema())?)?;
        Ok(Arc::new(FilterExec::try_new(predicate, plan)?))
    }

    fn parquet(
        &self,
        groups: Vec<FileGroup>,
        fields: Vec<usize>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = ObjectStoreUrl::parse(STORE)?;
        let runtime = self.state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(&url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let mut source = ParquetSource::new(Arc::clone(self.schema().arrow()))
            .with_table_parquet_options(self.state.table_options().parquet.clone())
            .with_parquet_file_reader_factory(Arc::new(readers))
            .with_enable_page_index(true);
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(fields))?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn partitioned(&self, file: &DataFile) -> PartitionedFile {
        let schema = self.schema().arrow();
        let mut statistics = Statistics::new_unknown(schema);
        statistics.num_rows = Precision::Exact(usize::try_from(file.meta.rows).unwrap_or(usize::MAX));
        if let Ok(time) = schema.index_of(TIME) {
            let value = |time| Precision::Exact(ScalarValue::TimestampNanosecond(Some(time), None));
            let column = &mut statistics.column_statistics[time];
            column.min_value = value(file.meta.times.min);
            column.max_value = value(file.meta.times.max);
            column.null_count = Precision::Exact(0);
        }
        PartitionedFile::new(relative_path(self.scan.table, file.meta.number), file.meta.bytes)
            .with_statistics(Arc::new(statistics))
    }
}

fn ordering(schema: &SchemaRef, keys: usize) -> Result<LexOrdering> {
    let sort = |index: usize| {
        let column = PhysicalColumn::new(schema.field(index).name(), index);
        PhysicalSortExpr::new_default(Arc::new(column))
    };
    let order = schema.fields().len() - 1;
    LexOrdering::new((0..keys).chain([order]).map(sort))
        .ok_or_else(|| DataFusionError::Internal("a table has no key".to_owned()))
}

/// Keeps the first `count` columns.
fn project(plan: Arc<dyn ExecutionPlan>, count: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    if schema.fields().len() == count {
        return Ok(plan);
    }
    let columns = schema
        .fields()
        .iter()
        .take(count)
        .enumerate()
        .map(|(index, field)| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(PhysicalColumn::new(field.name(), index));
            (column, field.name().clone())
        });
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

fn df_schema(schema: &SchemaRef) -> Result<DFSchema> {
    DFSchema::try_from(Arc::clone(schema))
}
