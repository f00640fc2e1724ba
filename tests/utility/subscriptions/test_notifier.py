"""What subscribers are told, and when: on a clock that the test moves, without sockets."""

import itertools

import pytest
from tests.utility.subscriptions.subscribing import URI

from dersim.ieee2030_5 import Edition
from dersim.modes import modes_from_json
from dersim.utility import grouping
from dersim.utility.groups import SYSTEM
from dersim.utility.subscriptions.notifier import GIVE_UP_S
from dersim.utility.subscriptions.record import CANCELLED, DELETED, MOVED, Ending

GAP_S = 30


@pytest.fixture
def client(lab):
    client = lab.client()
    client.get("/dcap")
    return client


@pytest.mark.parametrize("edition", Edition)
def test_a_published_control_is_told_once_with_the_list_as_a_get_shows_it(lab, subscribers, edition):
    client = lab.client(edition=edition)
    client.get("/dcap")
    href = subscribers.subscribe(client, "/derp/2/derc")
    assert subscribers.told(edition) == []
    control = subscribers.publish()
    [told] = subscribers.told(edition)
    assert (told.status, told.subscribedResource, told.subscriptionURI) == (0, "/derp/2/derc", href)
    assert told.createdDateTime == (lab.now if edition is Edition.E2023 else None)
    assert [each.mRID for each in told.Resource.DERControl] == [control.mrid]
    assert told.Resource == client.get("/derp/2/derc?l=10")
    lab.now += GAP_S
    assert subscribers.told(edition) == []


def test_each_change_of_a_control_is_told(make_subscribers):
    lab = make_subscribers(notify_gap_s=0.0)
    client = lab.lab.client()
    client.get("/dcap")
    lab.subscribe(client, "/derp/2/derc")
    control, other = lab.publish(duration_s=60), lab.publish(start_s=int(lab.lab.now) + 500)
    seen = []
    for at_s, act in ((0, None), (60, None), (62, lambda: lab.head_end.cancel(other)), (1_000, None)):
        lab.lab.now += at_s
        lab.head_end.advance()
        if act is not None:
            act()
        [told] = lab.told()
        seen.append([each.EventStatus.currentStatus for each in told.Resource.DERControl])
    assert seen == [[0, 0], [1, 0], [1, 2], []]
    assert control.status == 5


def test_only_the_program_of_the_change_is_looked_at(lab, client, subscribers):
    for number in range(3, 6):
        lab.head_end.create_program(f"p{number}", number)
        subscribers.subscribe(client, f"/derp/{number}/derc")
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.told()
    lab.now += 2
    subscribers.told()
    subscribers.publish()
    subscribers.notifier.collect(lab.now)
    assert [record.wanted.resource for record in lab.head_end.subscriptions if record.due_s is not None] == [
        "/derp/2/derc"
    ]


def test_the_parent_is_not_told_of_what_is_in_its_lists(lab, client, subscribers):
    for path in ("/edev", "/edev/1", "/edev/1/fsa", "/derp", "/derp/2/derc"):
        subscribers.subscribe(client, path)
    subscribers.publish()
    assert [told.subscribedResource for told in subscribers.told()] == ["/derp/2/derc"]


def test_a_move_of_a_device_is_told_to_subscribers_of_its_assignments_alone(lab, client, subscribers):
    head_end = lab.head_end
    group = grouping.create(head_end, "feeder A", "feeder")
    for path in ("/edev", "/edev/1", "/edev/1/fsa", "/derp"):
        subscribers.subscribe(client, path)
    grouping.move(head_end, client.lfdi, group)
    [told] = subscribers.told()
    assert (told.subscribedResource, told.Resource.all) == ("/edev/1/fsa", 2)


@pytest.mark.parametrize(
    ("path", "act"),
    [
        ("/derp", lambda head_end, program: head_end.update_program(program, "operator", 77, 0)),
        ("/derp", lambda head_end, _: head_end.create_program("new", 9)),
        ("/edev/1/fsa", lambda head_end, _: head_end.create_program("new", 9)),
        ("/derp", lambda head_end, program: head_end.remove_program(program)),
        (
            "/derp",
            lambda head_end, program: head_end.set_default(program, modes_from_json({"opModMaxLimW": 9})),
        ),
        ("/derp/1/dderc", lambda head_end, _: _set_default(head_end)),
        ("/derp", lambda head_end, _: head_end.set_poll_rates({"derp": 77})),
        ("/edev", lambda head_end, _: head_end.set_poll_rates({"edev": 77})),
        (
            "/edev",
            lambda head_end, _: head_end.provision("AB" * 20, None, next(iter(head_end.end_devices)).lfdi),
        ),
        ("/edev/1", lambda head_end, _: _disable(head_end)),
        ("/edev", lambda head_end, _: _disable(head_end)),
        ("/edev/1/fsa", lambda head_end, _: grouping.rename(head_end, head_end.groups.system, "everything")),
    ],
)
def test_what_the_operator_changes_is_told(lab, client, subscribers, path, act):
    subscribers.subscribe(client, path)
    act(lab.head_end, subscribers.operator)
    [told] = subscribers.told()
    assert (told.subscribedResource, told.status) == (path, 0)
    assert told.Resource.href == path


def _set_default(head_end):
    head_end.set_default(head_end.programs.get(1), modes_from_json({"opModMaxLimW": 9}))


def _disable(head_end):
    [device] = head_end.end_devices
    head_end.update_device(device, device.pin, enabled=False, aggregator=None)


def test_a_device_that_is_removed_is_told_to_its_aggregator(lab, client, subscribers):
    head_end = lab.head_end
    device, _ = head_end.provision("AB" * 20, None, client.lfdi)
    subscribers.subscribe(client, "/edev")
    subscribers.subscribe(client, "/edev/2", device=2)
    subscribers.subscribe(client, "/edev/2/fsa")
    head_end.remove_device(device)
    told = {each.subscribedResource: each for each in subscribers.told()}
    assert {path: each.status for path, each in told.items()} == {"/edev": 0, "/edev/2": 4, "/edev/2/fsa": 4}
    assert (told["/edev"].Resource.all, told["/edev/2"].Resource) == (1, None)
    assert len(head_end.subscriptions) == 1


def test_a_program_that_moves_to_another_group_is_told_to_both_once(lab, client, subscribers):
    head_end = lab.head_end
    groups = [grouping.create(head_end, f"feeder {name}", "feeder") for name in "AB"]
    other = lab.client(b"of another")
    other.get("/dcap")
    for each, group in zip((client, other), groups, strict=True):
        grouping.move(head_end, each.lfdi, group)
    program = head_end.create_program("moving", 7, groups[:1])
    stays = head_end.create_program("stays", 8, groups)
    subscribers.subscribe(client, groups[0].list_href)
    subscribers.subscribe(client, f"{program.href}/derc")
    subscribers.subscribe(client, f"{stays.href}/derc")
    subscribers.subscribe(other, groups[1].list_href, device=2)
    head_end.assign_program(program, groups[1:])
    told = {each.subscribedResource: each for each in subscribers.told()}
    assert {path: each.status for path, each in told.items()} == {
        groups[0].list_href: 0,
        f"{program.href}/derc": DELETED,
        groups[1].list_href: 0,
    }
    assert [each.mRID for each in told[groups[0].list_href].Resource.DERProgram] == [stays.mrid]
    assert len(told[groups[1].list_href].Resource.DERProgram) == 2
    lab.now += GAP_S
    assert subscribers.told() == []


def test_the_news_of_others_are_not_told(lab, client, subscribers):
    subscribers.subscribe(client, "/edev")
    lab.client(b"of another").get("/dcap")
    lab.now += 2
    assert subscribers.told() == []


def test_limit_0_tells_only_that_something_has_changed(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc", limit=0)
    subscribers.publish()
    [told] = subscribers.told()
    assert (told.status, told.Resource) == (0, None)


def test_a_list_has_at_most_limit_items_and_the_true_number(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc", limit=2)
    for _ in range(3):
        subscribers.publish()
    [told] = subscribers.told()
    assert (told.Resource.all, told.Resource.results, len(told.Resource.DERControl)) == (3, 2, 2)
    lab.now += GAP_S
    subscribers.publish(start_s=int(lab.now) + 9_000)  # beyond the limit, but a change
    [told] = subscribers.told()
    assert (told.Resource.all, told.Resource.results) == (4, 2)


def test_changes_within_the_gap_are_one_notification_at_its_end(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    assert len(subscribers.told()) == 1
    for _ in range(3):
        subscribers.publish()
        lab.now += 9
        assert subscribers.told() == []
    lab.now += 3
    [told] = subscribers.told()
    assert told.Resource.all == 4


def test_a_change_that_is_taken_back_within_the_gap_is_not_told(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    lab.head_end.withdraw(subscribers.publish())
    assert subscribers.told() == []


def test_what_is_removed_ends_with_status_4(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc")
    lab.head_end.remove_program(subscribers.operator)
    [told] = subscribers.told()
    assert (told.status, told.Resource, told.subscriptionURI) == (DELETED, None, href)
    assert client.ask("GET", href).status == 404
    assert len(lab.head_end.subscriptions) == 0


def test_a_default_that_is_removed_ends_its_subscription(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/1/dderc")
    lab.head_end.clear_default(lab.head_end.programs.get(1))
    assert [told.status for told in subscribers.told()] == [DELETED]


def test_a_client_that_leaves_the_group_of_a_program_is_told_4(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    lab.head_end.groups.set_members(lab.head_end.groups.get(SYSTEM), (), ())
    assert [told.status for told in subscribers.told()] == [DELETED]


def test_a_client_that_is_not_enabled_any_more_is_told_1(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    _disable(lab.head_end)
    assert [told.status for told in subscribers.told()] == [CANCELLED]


def test_the_operator_ends_a_subscription_with_where_the_resource_has_moved(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc")
    [record] = lab.head_end.subscriptions
    lab.head_end.subscriptions.end(record, Ending(MOVED, "/derp/1/derc"))
    assert client.ask("GET", href).status == 404
    again = subscribers.subscribe(client, "/derp/2/derc")
    [told] = subscribers.told()
    assert (told.status, told.newResourceURI, told.subscriptionURI) == (MOVED, "/derp/1/derc", href)
    assert [each.href for each in lab.head_end.subscriptions] == [again]


def test_one_that_is_not_renewed_ends_after_36_hours(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    renewed = subscribers.subscribe(client, "/edev/1")
    lab.now += 24 * 3600
    subscribers.subscribe(client, "/edev/1")
    lab.now += 12 * 3600 + 1
    assert [told.status for told in subscribers.told()] == [CANCELLED]
    assert [each.href for each in lab.head_end.subscriptions] == [renewed]


def test_400_means_unwanted_and_ends_the_subscription(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    assert len(subscribers.answered(400)) == 1
    assert "unwanted" in lab.log.lines[-1]
    assert client.ask("GET", href).status == 404


@pytest.mark.parametrize("status", [201, 204])
def test_2xx_is_taken_and_what_is_not_201_is_noted(lab, client, subscribers, status):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    subscribers.answered(status)
    [record] = lab.head_end.subscriptions
    assert (record.sent, record.failures, record.last_answer) == (1, 0, str(status))
    assert ("201 is required" in lab.log.lines[-1]) == (status == 204)


def test_what_has_failed_is_sent_again_with_the_newest(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    assert len(subscribers.answered(503)) == 1
    subscribers.publish()
    assert subscribers.told() == []
    lab.now += 6
    [told] = subscribers.told()
    assert told.Resource.all == 2


def test_a_dead_subscriber_is_asked_ever_less_and_dropped_with_one_line(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish(start_s=int(lab.now) + 9_000)
    began_s, before, tries = lab.now, len(lab.log.lines), []
    while len(lab.head_end.subscriptions):
        lab.now += 1
        for record, _ in subscribers.raw():
            tries.append(lab.now - began_s)
            subscribers.notifier.failure(record, "no answer", lab.now)
    assert max(later - earlier for earlier, later in itertools.pairwise(tries)) <= 301
    assert GIVE_UP_S <= tries[-1] < GIVE_UP_S + 400
    assert len(tries) < 25
    assert [line for line in lab.log.lines[before:] if URI in line] == [lab.log.lines[-1]]
    assert "dropped" in lab.log.lines[-1]


def test_a_renewal_ends_the_pause_after_failures(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish(start_s=int(lab.now) + 9_000)
    for _ in range(8):
        subscribers.answered(503)
        lab.now += 250
    subscribers.subscribe(client, "/derp/2/derc")
    assert len(subscribers.told()) == 1


def test_a_change_while_one_is_under_way_is_told_after_it(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    [(record, outgoing)] = subscribers.raw()
    subscribers.publish()
    assert subscribers.raw() == []
    subscribers.notifier.answered(record, outgoing, 201, lab.now)
    lab.now += GAP_S
    [told] = subscribers.told()
    assert told.Resource.all == 2


def test_one_that_is_deleted_while_a_notification_is_under_way_stays_deleted(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    [(record, outgoing)] = subscribers.raw()
    client.ask("DELETE", href)
    subscribers.notifier.answered(record, outgoing, 201, lab.now)
    subscribers.notifier.failure(record, "x", lab.now)
    lab.now += 600
    assert (len(lab.head_end.subscriptions), subscribers.told()) == (0, [])


def test_a_clock_that_goes_back_holds_nothing_up(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish()
    subscribers.told()
    subscribers.publish()
    subscribers.notifier.collect(lab.now)
    lab.now -= 86_400
    assert len(subscribers.told()) == 1


def test_looking_does_not_count_as_contact(lab, client, subscribers):
    subscribers.subscribe(client, "/edev/1/fsa")
    [device] = lab.head_end.end_devices
    seen_s = device.last_seen_s
    lab.now += 100
    lab.head_end.create_program("new", 9)
    assert len(subscribers.told()) == 1
    assert device.last_seen_s == seen_s


def test_the_body_is_made_once_for_all_subscribers(lab, subscribers):
    for number in range(5):
        client = lab.client(b"certificate %d" % number)
        client.get("/dcap")
        subscribers.subscribe(client, "/derp/2/derc", device=number + 1)
    subscribers.publish()
    bodies = subscribers.answered()
    uris = [f"/edev/{number}/sub/{number}" for number in range(1, 6)]
    assert [body.replace(uri.encode(), b"X") for body, uri in zip(bodies, uris, strict=True)] == [
        bodies[0].replace(b"/edev/1/sub/1", b"X")
    ] * 5
    assert len(subscribers.notifier._bodies._held) == 1


def test_a_server_of_one_edition_tells_all_in_it(make_subscribers):
    both = make_subscribers(personality=Edition.E2023)
    client = both.lab.client()
    client.get("/dcap")
    both.subscribe(client, "/derp/2/derc")
    both.publish()
    [body] = both.answered()
    assert b'schemaVer="2.2"' in body


def test_a_control_that_was_told_has_been_read(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc", limit=1)
    first, second = subscribers.publish(), subscribers.publish(start_s=int(lab.now) + 900)
    subscribers.answered(503)
    assert dict(lab.head_end.sightings.of(first.mrid)) == {}
    lab.now += 10
    assert len(subscribers.told()) == 1
    assert dict(lab.head_end.sightings.of(first.mrid)) == {client.lfdi: lab.now}
    assert dict(lab.head_end.sightings.of(second.mrid)) == {}


def test_many_that_end_at_once_are_a_few_lines(lab, client, subscribers):
    for number in range(25):
        subscribers.subscribe(client, "/derp/2/derc", notificationURI=f"{URI}/{number}")
    before = len(lab.log.lines)
    lab.head_end.remove_program(subscribers.operator)
    assert len(subscribers.told()) == 25
    lab.now += 1
    subscribers.told()
    lines = [line for line in lab.log.lines[before:] if "Subscription" in line]
    assert (len(lines), lines[-1]) == (11, "Info 15 more Subscriptions have ended")
