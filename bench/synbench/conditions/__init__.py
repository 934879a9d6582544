"""What happens to speech before, inside and after a codec: noise, rooms, channels, tandems.

A condition is one damage of an item's wave, of the coded bytes, or a chain of codecs. It is drawn
from the item and the condition alone, so that every codec hears the same wave and loses the same
stretches of time, on every machine.
"""
