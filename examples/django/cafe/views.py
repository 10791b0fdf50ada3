"""The café's pages, and what they save. Not a word of XMPP: that a model is a feed is said where it is declared."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from .models import Dish, Order


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The live list. The rows come with the feed, also those that are there already."""
    return render(request, "cafe/board.html")


@require_safe
def room(request: HttpRequest) -> HttpResponse:
    """The room in which saved orders are announced."""
    return render(request, "cafe/room.html")


def _refusal(error: ValidationError, status: int = 400) -> JsonResponse:
    return JsonResponse({"error": " ".join(error.messages)}, status=status)


@require_POST
def add_orders(request: HttpRequest) -> HttpResponse:
    """One order a line, all or none: should one be refused, those before it were never saved, and no page ever shows them."""
    lines = [line.strip() for line in request.POST.get("what", "").splitlines() if line.strip()]
    if not lines:
        return _refusal(ValidationError("What shall it be?"))
    saved = []
    try:
        with transaction.atomic():
            for line in lines:
                order = Order(what=line, whom=request.POST.get("whom", "").strip(), note=request.POST.get("note", "").strip())
                order.full_clean()
                order.save()
                saved.append(order.pk)
                if Dish.objects.filter(name__iexact=line, sold_out=True).exists():
                    raise ValidationError(f"{line} is sold out. Nothing was ordered.")
    except ValidationError as error:
        return _refusal(error, 409)
    return JsonResponse({"saved": saved}, status=201)


@require_POST
def change_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes the fields that are sent."""
    order = get_object_or_404(Order, pk=pk)
    for name in ("what", "whom", "note", "status"):
        if name in request.POST:
            setattr(order, name, request.POST[name].strip())
    try:
        order.full_clean()
    except ValidationError as error:
        return _refusal(error)
    order.save()
    return JsonResponse({"saved": [order.pk]})


@require_POST
def delete_order(_request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes one."""
    get_object_or_404(Order, pk=pk).delete()
    return JsonResponse({"deleted": [pk]})


@require_POST
def change_dish(request: HttpRequest, pk: int) -> HttpResponse:
    """Says whether a dish is to be had."""
    dish = get_object_or_404(Dish, pk=pk)
    dish.sold_out = request.POST.get("sold_out") == "true"
    dish.save()
    return JsonResponse({"saved": [dish.pk]})
