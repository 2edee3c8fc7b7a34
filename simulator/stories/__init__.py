"""Coherent stories of a contact centre, in which every event that we know occurs.

A story is a function that is handed a `telling.Scenario` and tells it event by event; scenes are
parts that several stories share. What is said once stays known: ids, names, queue, agent and
consumer agree through a story, and its times rise. Everything follows from the seed.
"""

from simulator.stories.scenario import StoryEvent
from simulator.stories.schedule import event_stream, live_stream, stories

__all__ = ["StoryEvent", "event_stream", "live_stream", "stories"]
