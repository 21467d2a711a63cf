"""Images: a double that hands the bytes through, in the type that is asked for. No pixel is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durable_engine import JsProxy
from pytest_workflows.javascript.buffers import bytes_of
from pytest_workflows.javascript.objects import JsObject, js_error, js_text, option, promised

from .bodies import with_bytes
from .js_arguments import is_of_class
from .responses import response

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

FORMATS = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "rgb", "rgba")


def make(config: BindingConfig, host: Host) -> ImagesBindingImpl:
    """Make the double."""
    return ImagesBindingImpl()


class ImagesBindingImpl(JsObject):
    """The binding: what goes in comes out unchanged; the calls say what would have been done with it."""

    def input(self, image: Any = None, options: Any = None) -> ImageTransformerImpl:
        """Begin with an image.

        Args:
            image: A stream or bytes.
            options: Without effect.
        """
        if not isinstance(image, JsProxy) or (bytes_of(image) is None and not is_of_class(image, "ReadableStream")):
            raise js_error("TypeError", "The input of images must be a ReadableStream or bytes.")
        return ImageTransformerImpl(image)


class ImageTransformerImpl(JsObject):
    """An image on its way.

    Args:
        image: The stream or bytes.
    """

    def __init__(self, image: Any) -> None:
        self._image = image

    def transform(self, transform: Any = None) -> ImageTransformerImpl:
        """Take a transformation, which has no effect.

        Args:
            transform: `width`, `height` and so on.
        """
        return self

    def draw(self, image: Any = None, options: Any = None) -> ImageTransformerImpl:
        """Take an image to draw over it, which has no effect.

        Args:
            image: The other image.
            options: Where to draw it.
        """
        return self

    @promised
    def output(self, options: Any = None) -> Any:
        """A promise of the result.

        Args:
            options: `format`: the content type.
        """
        kind = js_text(option(options, "format"))
        if kind not in FORMATS:
            raise js_error("Error", f"unsupported output format: {kind}. There are: {', '.join(FORMATS)}.")
        data = bytes_of(self._image)
        return with_bytes(self._image if data is None else data, lambda data: TransformationResultImpl(data, kind))


class TransformationResultImpl(JsObject):
    """The image that was made.

    Args:
        data: The bytes.
        kind: The content type.
    """

    def __init__(self, data: bytes, kind: str) -> None:
        self._data, self._kind = data, kind

    def contentType(self) -> str:
        """The content type."""
        return self._kind

    def image(self) -> Any:
        """The bytes, as a stream."""
        from pytest_workflows.javascript.streams import ReadableStream

        return ReadableStream._of_bytes(self._data)

    def response(self) -> Any:
        """A response of the image."""
        return response(self._data, 200, {"content-type": self._kind})
