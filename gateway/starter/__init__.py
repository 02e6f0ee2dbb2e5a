"""A repository of the operator's own: what stands in it at the beginning."""

from gateway.starter.folder import FolderError as FolderError
from gateway.starter.folder import write as write
from gateway.starter.steps import first_steps as first_steps
from gateway.starter.texts import platforms as platforms
