//! The catalog's promises, each shown on SQLite and, where a server is installed, on PostgreSQL.

mod audit;
mod conflicts;
mod damage;
mod devices;
mod encryption;
mod feed;
mod indexes;
mod invitations;
mod limits;
mod migrations;
mod network;
mod nodes;
mod pages;
mod proxy;
mod revocations;
mod servers;
mod sessions;
mod stage;
mod story;
mod tables;
mod usage;

#[tokio::test]
async fn a_file_that_is_no_database_is_named_at_once() {
    damage::a_file_that_is_no_database_is_named_at_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_found_again() {
    let server = rescind_testkit::Postgres::start().expect("a PostgreSQL server");
    network::a_server_that_restarts_is_found_again(server).await;
}

/// Every scenario becomes a test of its own on SQLite and a part of one test on PostgreSQL, because one server serves
/// them all and must be stopped in the end.
macro_rules! scenarios {
    ($($module:ident::$name:ident,)*; on_postgresql_alone: $($only_module:ident::$only:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(crate::stage::Stage::on_sqlite().await).await.expect("holds");
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn everything_on_postgresql() {
            let server = rescind_testkit::Postgres::start().expect("a PostgreSQL server");
            $(
                eprintln!("on PostgreSQL: {}", stringify!($name));
                let stage = stage::Stage::on_postgresql(&server.url(), stringify!($name)).await;
                crate::$module::$name(stage).await.expect(stringify!($name));
            )*
        }

        /// These wait more than they work.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn everything_that_only_postgresql_has() {
            let server = rescind_testkit::Postgres::start().expect("a PostgreSQL server");
            let url = server.url();
            tokio::join!($(
                async {
                    let stage = stage::Stage::on_postgresql(&url, stringify!($only)).await;
                    crate::$only_module::$only(stage).await.expect(stringify!($only));
                },
            )* servers::what_keeps_a_catalog_from_being_opened_is_said(&server),
            servers::what_a_user_lacks_is_said(&server));
        }
    };
}

scenarios! {
    story::a_token_lives_and_dies,
    story::everything_survives_a_restart,
    story::a_deleted_database_is_restored,
    story::a_purged_database_is_gone,
    story::users_sign_in_by_address,
    conflicts::no_two_tokens_or_users_are_one,
    conflicts::no_two_databases_or_tables_share_a_name,
    conflicts::what_is_dropped_leaves_nothing,
    conflicts::what_does_not_exist_cannot_be_changed,
    audit::every_tampering_shows,
    audit::events_are_found_by_what_they_say,
    feed::commit_order_is_revision_order,
    feed::a_large_revision_comes_in_pieces,
    feed::what_is_pruned_is_said_to_be,
    pages::tokens_come_exactly_once_in_every_order,
    pages::tokens_are_found_by_what_they_are,
    pages::databases_come_exactly_once_in_every_order,
    pages::databases_are_found_by_what_they_are,
    pages::tokens_are_found_by_what_they_open,
    pages::a_foreign_cursor_is_refused,
    revocations::very_many_tokens_are_revoked_in_one_act,
    revocations::what_was_revoked_before_is_not_revoked_again,
    revocations::revoking_many_and_noting_their_use_do_not_stop_each_other,
    tables::an_earlier_name_reaches_until_another_takes_it,
    tables::a_deleted_table_keeps_its_names_until_it_is_purged,
    tables::names_may_be_very_long,
    usage::last_use_never_moves_backwards,
    usage::the_last_client_comes_with_the_last_use,
    usage::requests_add_up,
    limits::the_sessions_longest_unused_end_first,
    limits::waiting_devices_say_where_they_are,
    limits::failures_count_from_the_last_session_in_a_browser,
    sessions::a_session_lives_and_ends,
    sessions::a_users_sessions_end_with_its_rights,
    sessions::spent_sessions_are_forgotten,
    sessions::administrators_who_can_sign_in_are_counted,
    invitations::an_invitation_is_accepted_once,
    invitations::an_invitation_is_withdrawn,
    devices::a_device_is_redeemed_once,
    devices::only_so_many_devices_wait,
    indexes::every_token_is_loaded,
    feed::searches_do_not_delay_the_feed,
    migrations::a_catalog_of_version_1_keeps_everything,
    damage::a_newer_schema_is_refused,
    damage::damaged_values_are_named,
    damage::the_schema_refuses_nonsense,
    nodes::a_node_joins_renews_lapses_and_leaves,
    nodes::a_catalog_that_went_back_knows_no_node_that_saw_more,
    nodes::a_catalog_that_went_back_and_on_is_not_the_same,
    nodes::a_schema_that_changed_meanwhile_is_noticed,
;
    on_postgresql_alone:
    network::signals_are_heard_and_losses_told,
    network::a_network_that_swallows_everything_heals,
    network::whoever_writes_uses_down_waits_for_no_act,
    network::of_one_process_one_act_waits_for_the_ledger,
    feed::whoever_forgets_changes_waits_for_nobody_who_does,
    usage::uses_do_not_wait_for_the_disk_as_acts_do,
    migrations::no_schema_is_upgraded_below_nodes_that_run,
}
