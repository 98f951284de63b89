"""The check before any GPU minute: the rows as the model will see them, what is wrong with them, what it will cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.studies.preflight import preflight
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import failure
from lab.ui.components.loss_view import check_view
from lab.ui.train.grid import measured_speeds, room_of

if TYPE_CHECKING:
    from lab.core.spec import Spec
    from lab.ui.components.markup import Html


def check_html(app: LabApp, spec: Spec, run_on: str = "") -> Html:
    """The whole check. It may take seconds: it reads the datasets and tokenises a part of them.

    Not in the public demo: it shows rows of whatever file a visitor names.
    """
    store = app.store
    try:
        if not app.may_launch:
            raise LabError(SPACE_SENTENCE, "spec")
        return check_view(preflight(spec, speeds=measured_speeds(store), on_gpu=room_of(store, run_on).on_gpu))
    except LabError as problem:
        return failure(problem)
