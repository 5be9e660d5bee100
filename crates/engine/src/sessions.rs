//! What all queries share: functions, rules, the runtime they run on, and the memory that each may take.

use std::sync::Arc;

use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::error::Result;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::prelude::SessionConfig;
use object_store::local::LocalFileSystem;

use crate::catalogs::{CATALOG, DatabaseTables, OneCatalog, SCHEMA};
use crate::complexity::Complexity;
use crate::concatenation::MeasuredSyntax;
use crate::functions::{TextLimit, bounded};
use crate::scans::STORE;
use crate::settings::Settings;

/// How many consumers of memory an error names.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN;

/// The part of a query's memory that a sort keeps back: one in so many.
const RESERVED: usize = 8;

/// Makes the session of each query.
pub(crate) struct Sessions {
    base: SessionState,
    runtime: Arc<RuntimeEnv>,
    query_bytes: usize,
}

impl Sessions {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![settings.spill_dir()]))
            .with_max_temp_directory_size(settings.query_spill_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .with_object_store_registry(Arc::new(only_data_files(settings)?))
            .build_arc()?;
        let query_bytes = settings.query_memory_bytes / settings.max_queries.max(1);
        let mut config = SessionConfig::new()
            .with_target_partitions(settings.query_threads.max(1))
            .with_information_schema(true)
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(false)
            // Files are spread over the partitions by the scan itself.
            .with_repartition_file_scans(false);
        // Sorting keeps that much for its last step; the default is more than a small share.
        let reserved = (query_bytes / RESERVED).min(config.options().execution.sort_spill_reservation_bytes);
        config.options_mut().execution.sort_spill_reservation_bytes = reserved;
        // Clients know text as Utf8 (contract, core-wire section 4).
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let functions = SessionStateDefaults::default_scalar_functions();
        let functions: Vec<_> = functions.iter().map(bounded).collect();
        let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(MeasuredSyntax::new(&functions))];
        planners.extend(SessionStateDefaults::default_expr_planners());
        let base = SessionStateBuilder::new()
            .with_default_features()
            .with_scalar_functions(functions)
            .with_expr_planners(planners)
            .with_config(config)
            .with_runtime_env(Arc::clone(&runtime))
            .with_table_factories(Default::default())
            .with_file_formats(Vec::new())
            .build();
        Ok(Self {
            base,
            runtime,
            query_bytes,
        })
    }

    /// A session of one statement that sees `tables` only; `now` is what `now()` answers, in nanoseconds.
    pub(crate) fn of(&self, tables: Arc<DatabaseTables>, now: i64, complexity: Complexity) -> SessionState {
        let mut state = self.base.clone();
        let extensions = &mut state.config_mut().options_mut().extensions;
        extensions.insert(TextLimit::among(complexity.calls));
        state.register_catalog_list(Arc::new(OneCatalog(tables)));
        let options = Arc::clone(state.config().options());
        let properties = state.execution_props_mut();
        properties.mark_start_execution(options);
        properties.query_execution_start_time = timestamp_ns_to_datetime(now).map(|now| now.and_utc());
        state
    }

    /// Plans that no client asked for.
    pub(crate) fn internal(&self) -> &SessionState {
        &self.base
    }

    /// Where a query runs: with memory of its own, so that a query that takes too much fails alone. Its parts take
    /// as they need: equal shares, idle parts included, would leave a small budget too little for one sort.
    pub(crate) fn task(&self, state: &SessionState) -> Arc<TaskContext> {
        let pool = TrackConsumersPool::new(GreedyMemoryPool::new(self.query_bytes), NAMED_CONSUMERS);
        let runtime = RuntimeEnv {
            memory_pool: Arc::new(pool),
            ..(*self.runtime).clone()
        };
        Arc::new(TaskContext::from(state).with_runtime(Arc::new(runtime)))
    }
}

/// A registry that knows the engine's data files and nothing else: no query can name another file.
fn only_data_files(settings: &Settings) -> Result<DefaultObjectStoreRegistry> {
    let registry = DefaultObjectStoreRegistry::new();
    registry.deregister_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    let store = LocalFileSystem::new_with_prefix(settings.data_dir())?;
    registry.register_store(ObjectStoreUrl::parse(STORE)?.as_ref(), Arc::new(store));
    Ok(registry)
}
