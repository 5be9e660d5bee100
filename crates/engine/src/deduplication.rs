//! Merges points that repeat, as a part of a query.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{Stream, StreamExt, TryStreamExt};

use crate::duplicates::Merger;

/// Sources whose points may repeat one another.
#[derive(Debug)]
pub(crate) struct Group {
    /// One partition, sorted by keys and age.
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    /// Columns of `plan` that identify a point.
    pub(crate) keys: Vec<usize>,
    /// Columns of `plan` that go out.
    pub(crate) output: Vec<usize>,
}

/// Reads groups, those of a partition one after the other: each sorts, and all at once would take memory by their
/// number. The plans inside are complete, so that it is a leaf to DataFusion: no rule may
/// move a filter or a limit below the merging.
#[derive(Debug)]
pub(crate) struct DeduplicateExec {
    /// The groups of each partition.
    groups: Vec<Vec<Arc<Group>>>,
    properties: Arc<PlanProperties>,
}

impl DeduplicateExec {
    /// Spreads groups over at most so many partitions.
    pub(crate) fn new(all: Vec<Group>, partitions: usize, schema: SchemaRef) -> Self {
        let mut groups = vec![Vec::new(); partitions.min(all.len()).max(1)];
        let partitions = groups.len();
        for (index, group) in all.into_iter().enumerate() {
            groups[index % partitions].push(Arc::new(group));
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            groups,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for DeduplicateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: usize = self.groups.iter().map(Vec::len).sum();
        write!(f, "DeduplicateExec: groups={groups}")
    }
}

impl ExecutionPlan for DeduplicateExec {
    fn name(&self) -> &'static str {
        "DeduplicateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let groups = self
            .groups
            .get(partition)
            .ok_or_else(|| DataFusionError::Internal(format!("no partition {partition}")))?;
        let groups = groups.clone();
        let schema = self.schema();
        let merged = {
            let schema = Arc::clone(&schema);
            // A group is not started before the one before it has ended.
            futures::stream::iter(groups)
                .map(move |group| group.merged(&schema, Arc::clone(&context)))
                .try_flatten()
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, merged)))
    }
}

impl Group {
    fn merged(
        &self,
        schema: &SchemaRef,
        context: Arc<TaskContext>,
    ) -> Result<impl Stream<Item = Result<RecordBatch>> + use<>> {
        debug_assert_eq!(self.plan.output_partitioning().partition_count(), 1);
        let input = self.plan.execute(0, context)?;
        let project = {
            let (schema, output) = (Arc::clone(schema), self.output.clone());
            move |batch: RecordBatch| -> Result<RecordBatch> {
                let projected = batch.project(&output)?;
                // The schema of the input says the same with other metadata.
                Ok(projected.with_schema(Arc::clone(&schema))?)
            }
        };
        let merger = Some(Merger::new(self.keys.clone()));
        let merged = futures::stream::unfold((input, merger), |(mut input, mut merger)| async move {
            loop {
                let active = merger.as_mut()?;
                let finished = match input.next().await {
                    Some(Ok(batch)) => active.push(batch).map_err(DataFusionError::from).transpose(),
                    Some(Err(error)) => Some(Err(error)),
                    None => {
                        let rest = active.finish();
                        merger = None;
                        rest.map(Ok)
                    }
                };
                if let Some(finished) = finished {
                    return Some((finished, (input, merger)));
                }
            }
        });
        Ok(merged.map(move |batch| batch.and_then(&project)))
    }
}
