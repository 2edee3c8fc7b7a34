"""Coherent scenarios of a contact centre, in which every known event occurs.

A scenario is a function that receives a `scenario.Scenario` and emits it event by event; scenes are
parts that several scenarios share. Facts persist: ids, names, queue, agent and consumer agree
through a scenario, and its times rise. Everything follows from the seed.
"""

from simulator.stories.scenario import StoryEvent
from simulator.stories.schedule import event_stream, live_stream, stories

__all__ = ["StoryEvent", "event_stream", "live_stream", "stories"]
